"""A cluster for the tests of the module: primaries and replicas on free loopback ports.

    with Cluster(module) as cluster:
        cluster.redis()                    # python3-redis' RedisCluster
        cluster.primary_of("key").kill()
        cluster.wait_ok()
"""

import importlib.util
import logging
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time

import server
from resp import ErrorReply

SLOTS = 16384
NODE_TIMEOUT_MS = 4000


def port_below_ephemeral():
    """A free port that no outgoing connection takes while its server is down."""
    while True:
        port = random.randrange(12000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Node(server.Server):
    """A server in cluster mode; its identity stays over restarts."""

    def __init__(self, module, arguments=(), config=None, tls=False):
        lines = {
            "appendonly": "yes",
            "rdbcompression": "no",
            "cluster-enabled": "yes",
            "cluster-config-file": "nodes.conf",
            "cluster-node-timeout": NODE_TIMEOUT_MS,
            "cluster-port": port_below_ephemeral(),
        }
        if tls:
            lines["tls-port"] = port_below_ephemeral()
        lines.update(config or {})
        super().__init__(module, arguments, lines)
        self.port = port_below_ephemeral()

    def call(self, *words, timeout=60):
        with self.client(timeout=timeout) as client:
            return client.call(*words)

    def identity(self):
        return self.call("CLUSTER", "MYID").decode()

    def keys_beside(self, key):
        """How many keys of `key`'s slot are here, whoever serves it."""
        return self.call("CLUSTER", "COUNTKEYSINSLOT", self.call("CLUSTER", "KEYSLOT", key))

    def is_primary(self):
        return self.info("replication")["role"] == "master"

    def state(self):
        """CLUSTER INFO as a dictionary of strings."""
        text = self.call("CLUSTER", "INFO", timeout=5).decode()
        return dict(line.split(":", 1) for line in text.split())


class Cluster:
    """`primaries` servers that share the slots in equal ranges, each with `replicas` replicas; `nodes`
    has all, primaries first. config and arguments are those of server.Server; with `tls` each has a
    tls-port, too, which is the one that the others use when config says tls-cluster."""

    def __init__(self, module, primaries=3, replicas=1, config=None, arguments=(), tls=False):
        self.make = lambda: Node(module, arguments, config, tls)
        self.tls = tls
        self.primaries = primaries
        self.nodes = [self.make() for _ in range(primaries * (1 + replicas))]

    def __enter__(self):
        try:
            for node in self.nodes:
                node.start()
            self._join()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        reports = sum((node.sanitizer_reports() for node in self.nodes), [])
        self.close()
        if reports and kind is None:
            raise AssertionError("\n".join(reports))

    def close(self):
        for node in self.nodes:
            node.close()

    def _join(self):
        first, count = self.nodes[0], self.primaries
        for i, node in enumerate(self.nodes):
            node.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
            if i < count:
                last = (i + 1) * SLOTS // count - 1
                node.call("CLUSTER", "ADDSLOTSRANGE", i * SLOTS // count, last)
            if node is not first:
                self.meet(node)
        server.wait_for(lambda: all(self._knows_all(node) for node in self.nodes), 60, "the meeting")
        for i, node in enumerate(self.nodes[count:]):
            node.call("CLUSTER", "REPLICATE", self.nodes[i % count].identity())
        self.wait_ok()

    def _knows_all(self, node):
        lines = node.call("CLUSTER", "NODES").decode().splitlines()
        return len(lines) == len(self.nodes) and not any("handshake" in line for line in lines)

    def meet(self, node):
        """Makes `node` known to the cluster."""
        port = node.config["cluster-port"]
        client_port = node.config["tls-port"] if self.tls else node.port
        self.nodes[0].call("CLUSTER", "MEET", "127.0.0.1", client_port, port)

    def add(self, replica_of=None):
        """A started node that the others know; a replica of `replica_of`, if there is one."""
        node = self.make()
        self.nodes.append(node)
        node.start()
        self.meet(node)
        server.wait_for(lambda: all(map(self._knows_all, self.nodes)), 60, "the new node's being known")
        if replica_of is not None:
            node.call("CLUSTER", "REPLICATE", replica_of.identity())
            node.wait_linked()
            # Whoever takes it for a primary still gives it no vote.
            mine = re.compile(rf"^{node.identity()} .*\bslave\b", re.MULTILINE)
            nodes = lambda seer: seer.call("CLUSTER", "NODES").decode()
            known = lambda: all(mine.search(nodes(seer)) for seer in self.running())
            server.wait_for(known, 60, "all knowing the new replica")
        return node

    def hand_over(self, replica):
        """Makes a replica the primary without losing anything (CLUSTER FAILOVER). The servers give an
        attempt up silently after five seconds, as when they have not heard of the replica yet."""
        for _ in range(10):
            replica.call("CLUSTER", "FAILOVER")
            try:
                server.wait_for(replica.is_primary, 6, "the hand-over")
            except TimeoutError:
                continue
            return self.wait_ok()
        raise AssertionError(f"no hand-over in ten attempts\n{replica.tail()}")

    def remove(self, node):
        """Ends an empty primary, or a replica, and makes the others forget it."""
        gone = node.identity()
        self.nodes.remove(node)
        node.close()
        for other in self.nodes:
            other.call("CLUSTER", "FORGET", gone)

    def running(self):
        return [node for node in self.nodes if node.running()]

    def is_ok(self):
        """Every running node finds all slots served, and every running replica follows."""
        try:
            for node in self.running():
                state = node.state()
                if state["cluster_state"] != "ok" or state["cluster_slots_ok"] != str(SLOTS):
                    return False
                replication = node.info("replication")
                if replication.get("master_link_status", "up") != "up":
                    return False
            return True
        except (OSError, ErrorReply):
            return False

    def wait_ok(self, seconds=60):
        server.wait_for(self.is_ok, seconds, "a cluster that is ok")

    def primary_of(self, key):
        """The running primary that serves `key`, as a running node sees it."""
        for seer in self.running():
            slot = seer.call("CLUSTER", "KEYSLOT", key)
            for first, last, (_, port, *_), *_ in seer.call("CLUSTER", "SLOTS"):
                if first <= slot <= last:
                    for node in self.running():
                        if node.port == port:
                            return node
        raise LookupError(f"nobody serves {key}")

    def replicas_of(self, primary):
        """The running replicas that follow `primary`."""
        return [
            node
            for node in self.running()
            if node.info("replication").get("master_port") == str(primary.port)
        ]

    def kill_and_wait(self, primary, timeout_s=60):
        """Kills a primary and waits until another one has its slots; returns the seconds that took."""
        ports = {node.port for node in self.replicas_of(primary)}
        primary.kill()
        killed = time.monotonic()
        heirs = [node for node in self.nodes if node.port in ports]
        server.wait_for(lambda: any(node.is_primary() for node in heirs), timeout_s, "a failover")
        return time.monotonic() - killed

    def redis(self, **options):
        """python3-redis' client of this cluster."""
        import redis

        return redis.RedisCluster(host="127.0.0.1", port=self.running()[0].port, **options)

    def command(self, *words, check=True):
        """redis-cli --cluster WORDS on a node of this cluster; returns what it prints."""
        name, *rest = map(str, words)
        tool = shutil.which("redis-cli") or shutil.which("valkey-cli")
        port = self.running()[0].port
        line = [tool, "--cluster", name, f"127.0.0.1:{port}", *rest]
        done = subprocess.run(line, capture_output=True, text=True, timeout=600)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(line)}\n{done.stdout}{done.stderr}")
        return done.stdout

    def move(self, key, target):
        """Moves the slot of `key`, and what is in it, to the primary `target`."""
        self.end_move(key, self.begin_move(key, target), target)

    def begin_move(self, key, target):
        """The first half of move(): `target` has the keys, but not the slot, whose primary says ASK.
        Returns that one."""
        source = self.primary_of(key)
        slot = source.call("CLUSTER", "KEYSLOT", key)
        target.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source.identity())
        source.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target.identity())
        while keys := source.call("CLUSTER", "GETKEYSINSLOT", slot, 10):
            words = ("MIGRATE", "127.0.0.1", target.port, "", 0, 60000, "KEYS", *keys)
            source.call(*words)
        return source

    def end_move(self, key, source, target):
        """The second half."""
        slot = source.call("CLUSTER", "KEYSLOT", key)
        for node in [target, source] + [n for n in self.running() if n.is_primary()]:
            node.call("CLUSTER", "SETSLOT", slot, "NODE", target.identity())


def require_cli():
    """Ends the test as skipped where there is no redis-cli."""
    if not (shutil.which("redis-cli") or shutil.which("valkey-cli")):
        server.skip("there is no redis-cli")


HERE = os.path.dirname(os.path.abspath(__file__))
CLIENTS = os.path.normpath(os.path.join(HERE, "../../tools/redis/clients"))


def require_client():
    """The reference client for Python as a module; ends the test as skipped without python3-redis."""
    if importlib.util.find_spec("redis") is None:
        server.skip("python3-redis is not installed")
    logging.disable()  # RedisCluster logs every error that it raises
    sys.path.insert(0, os.path.join(CLIENTS, "python"))
    import vicinal_slices

    return vicinal_slices
