"""The demonstration that tools/redis/cluster_demo runs, which builds what it needs and says how it is used."""

import argparse
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time

import redis

from demo import DIMENSION, MISSPELT, WORDS, Server, blob, check, folder_of_servers, free_port, say
from demo import wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients/python"))
from vicinal_slices import NotReplicated, SlicedIndex  # noqa: E402

SLICES = 12  # so that a fourth primary gets a fair share: redis-cli counts slots, not keys
NODE_TIMEOUT_MS = 4000


class Demo:
    def __init__(self, folder, servers, options):
        self.folder, self.servers, self.options = folder, servers, options

    def start(self, name):
        more = ["--cluster-enabled", "yes", "--cluster-node-timeout", NODE_TIMEOUT_MS]
        more += ["--cluster-port", free_port()]
        options = self.options
        return Server(name, self.folder, options.module, options.settings, self.servers, more=more)

    def cli(self, *words):
        line = ["redis-cli", "--cluster", *map(str, words)]
        done = subprocess.run(line, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(line)}\n{done.stdout}{done.stderr}")
        return done.stdout

    def running(self):
        return [server for server in self.servers if server.process.poll() is None]

    def is_well(self):
        """All running servers find all slots served, and all replicas follow."""
        try:
            return all(
                server.client.execute_command("CLUSTER INFO")["cluster_state"] == "ok"
                and server.client.info("replication").get("master_link_status", "up") == "up"
                for server in self.running()
            )
        except redis.exceptions.RedisError:
            return False

    def agree(self):
        """All running servers know each other, and who has which slots."""
        for server in self.running():
            if len(server.client.execute_command("CLUSTER NODES")) != len(self.running()):
                return False
        line = ["redis-cli", "--cluster", "check", address(self.running()[0])]
        return "[OK] All nodes agree" in subprocess.run(line, capture_output=True, text=True).stdout

    def connect(self, patience=30.0):
        cluster = redis.RedisCluster(host="127.0.0.1", port=self.running()[0].port)
        return SlicedIndex(cluster, "words", patience)

    def server_of(self, index, key):
        port = index.cluster.get_node_from_key(key).port
        return next(server for server in self.servers if server.port == port)


def address(server):
    return f"127.0.0.1:{server.port}"


def load_words(index, words):
    began = time.monotonic()
    for first in range(0, len(words), 500):
        some = words[first : first + 500]
        index.add_many([(word, blob(word)) for word in some])
    say(f"   python3-redis added them to {index.slices} keys in {time.monotonic() - began:.1f} s")


def search(index):
    for word in MISSPELT:
        hits = index.search(blob(word), 4)
        say(f"   {word:14} " + ", ".join(f"{name.decode()} {score:.2f}" for name, score in hits))


def write_while_killed(demo, index, words, kill):
    """Adds invented words, each confirmed by a replica; kills a server in between, and goes on until the
    cluster confirms again. Returns the confirmed ones, and the longest time a write took."""
    draw = random.Random(1)
    confirmed, longest, after = {}, 0.0, 0
    while after < 60:
        word = draw.choice(words) + draw.choice(words)
        began = time.monotonic()
        try:
            index.add(word, blob(word), replicas=1, wait_ms=200)
            confirmed[word] = blob(word)
        except NotReplicated:
            pass  # for now it is at one server only: nothing is promised
        longest = max(longest, time.monotonic() - began)
        after += kill.process.poll() is not None
        if len(confirmed) == 300 and after == 0:
            kill.kill()
    return confirmed, longest


def holds(index, words):
    replies = index.ask([("VEMB", index.key(word), word) for word in words])
    return all(
        isinstance(reply, list) and index.blob(list(map(float, reply))) == vector
        for reply, vector in zip(replies, words.values())
    )


def search_beside(demo, work, words):
    """Runs `work` while searches go on; each must find the word it asks for, once."""
    index, ended, figures = demo.connect(), threading.Event(), {"searches": 0, "longest": 0.0, "wrong": None}

    def ask():
        draw = random.Random(2)
        try:
            while not ended.is_set():
                word, began = draw.choice(words), time.monotonic()
                names = [name.decode() for name, _ in index.search(blob(word), 5, options=("TRUTH",))]
                figures["longest"] = max(figures["longest"], time.monotonic() - began)
                figures["searches"] += 1
                if names.count(word) != 1 or len(set(names)) != len(names):
                    figures["wrong"] = f"{word}: {names}"
        except Exception as error:  # told below
            figures["wrong"] = repr(error)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        work()
    finally:
        ended.set()
        thread.join()
    check(figures["wrong"] is None, f"{figures['searches']} searches meanwhile missed nothing and doubled nothing"
          + (f" ({figures['wrong']})" if figures["wrong"] else ""))
    say(f"   the longest of them took {figures['longest']:.2f} s")


def demonstrate(demo):
    with open(WORDS, encoding="utf-8") as file:
        words = [line.strip() for line in file if line.strip().isascii() and line.strip().isalpha()]
    words = random.Random(0).sample(words, min(demo.options.words, len(words)))
    right = ("embarrass", "separate", "accommodation", "definitely", "occurrence", "rhythm")
    words += [word for word in right if word not in words]

    say("1. Three primaries and three replicas")
    servers = [demo.start(f"server{i}") for i in range(1, 7)]
    demo.cli("create", *map(address, servers), "--cluster-replicas", 1, "--cluster-yes")
    wait_until("the cluster is well", demo.is_well)
    say("   " + " ".join(map(address, servers)))

    say(f"2. {len(words)} words")
    cluster = redis.RedisCluster(host="127.0.0.1", port=servers[0].port)
    index = SlicedIndex.create(cluster, "words", SLICES, DIMENSION, patience=30.0)
    load_words(index, words)
    check(index.count() == len(words), f"the keys have {len(words)} words together")

    say("3. Misspelt words: all keys are asked, the best are kept")
    search(index)

    say("4. A primary is killed (kill -9) while the cluster is written to")
    killed = demo.server_of(index, index.keys[0])
    confirmed, longest = write_while_killed(demo, index, words, killed)
    say(f"   {len(confirmed)} words were confirmed by a replica, before and after; "
        f"the longest write took {longest:.1f} s")
    heir = demo.server_of(index, index.keys[0])
    check(heir is not killed, f"{heir.name} has taken over from {killed.name}")
    check(holds(index, confirmed), "every confirmed word is there, bit for bit")

    say("5. The killed server comes back, as a replica")
    killed.start()
    wait_until("it follows", lambda: killed.client.info("replication").get("master_link_status") == "up")
    wait_until("the cluster is well", demo.is_well)
    heir.client.wait(1, 60000)
    killed.client.execute_command("READONLY")
    mine = [key for key in index.keys if demo.server_of(index, key) is heir]
    cards = [[server.client.execute_command("VCARD", key) for key in mine] for server in (heir, killed)]
    check(cards[0] == cards[1], f"both have {sum(cards[0])} words")

    say("6. A fourth primary; slots are rebalanced while searches go on")
    fourth = demo.start("server7")
    demo.cli("add-node", address(fourth), address(heir))
    wait_until("all know it", demo.agree)
    wait_until("it takes writes", demo.is_well)  # a new primary waits two seconds
    words = words[:2000]
    rebalance = ("rebalance", address(heir), "--cluster-use-empty-masters", "--cluster-timeout", 60000)
    search_beside(demo, lambda: demo.cli(*rebalance), words)
    wait_until("all agree", demo.agree)
    index = demo.connect()
    held = [key for key in index.keys if demo.server_of(index, key) is fourth]
    check(len(held) == SLICES // 4, f"{fourth.name} has {len(held)} of the {SLICES} keys")
    check(holds(index, confirmed), "every confirmed word is there, bit for bit")
    search(index)
    say("Nothing that was confirmed is lost.")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module", type=os.path.abspath)
    parser.add_argument("settings")
    parser.add_argument("--words", type=int, default=20000)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    logging.disable()  # RedisCluster logs every error that it raises
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the servers end with this, too
    servers = []
    with folder_of_servers("vicinal-cluster-demo-", servers, options.keep) as folder:
        demonstrate(Demo(folder, servers, options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
