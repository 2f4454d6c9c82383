"""Everything at once: clients add, search, remove, rename, copy, dump, expire and drop the same few sets,
repair and rebuild them, and go away in the middle of a search, while the server saves and rewrites its
log and changes the number of threads. Afterwards it lives, its sets are sound, its replica and its log
hold the same, and no sanitizer had anything to say.

usage: mixed_load_test.py MODULE [--seconds N] [--seed N] [--preamble yes|no]
"""

import argparse
import random
import struct
import sys
import threading
import time

import server
from resp import ErrorReply

DIMENSION = 16
KEYS = ("a", "b", "c", "d")
ELEMENTS = 2000
CLIENTS = 6
# What a command may be told when the set has changed meanwhile.
EXPECTED = (
    "another rebuild",
    "element not found in set",
    "key does not exist",
    "no such key",
    "source and destination objects are the same",
)

# Name: how often. Each is a method of Actor.
OPERATIONS = {
    "add": 300,
    "add_many": 60,
    "search": 100,
    "search_element": 60,
    "remove": 120,
    "set_attribute": 60,
    "search_filtered": 60,
    "search_exact": 40,
    "read": 60,
    "maintain": 12,
    "transaction": 20,
    "script": 10,
    "dump_and_restore": 6,
    "leave_searching": 4,
    "move": 6,
    "drop": 12,
}


class Actor(threading.Thread):
    """A client that does one thing after the other until `stop`."""

    def __init__(self, running, seed, stop):
        super().__init__()
        self.running = running
        self.random = random.Random(seed)
        self.ended = stop
        self.problems = []
        self.count = 0

    def run(self):
        try:
            self.connect()
            while not self.ended.is_set():
                (name,) = self.random.choices(list(OPERATIONS), OPERATIONS.values())
                getattr(self, name)(self.random.choice(KEYS), f"e{self.random.randrange(ELEMENTS)}")
                self.count += 1
        except Exception as error:  # a dead server is for main() to see
            self.problems.append(repr(error))

    def connect(self):
        self.client = self.running.client(self.random.choice((2, 3)))

    def vector(self):
        draw = self.random.gauss
        return struct.pack(f"<{DIMENSION}f", *(draw(0, 1) for _ in range(DIMENSION)))

    def ask(self, *words):
        self.client.send(*words)
        reply = self.client.receive()
        if isinstance(reply, ErrorReply) and not any(text in str(reply) for text in EXPECTED):
            self.problems.append(f"{words[0]}: {reply}")
        return reply

    def add(self, key, element):
        more = self.random.choice(([], ["CAS"], ["SETATTR", f'{{"n": {self.random.randrange(100)}}}']))
        self.ask("VADD", key, "FP32", self.vector(), element, *more)

    def add_many(self, key, _):
        count = self.random.randrange(1, 120)
        names = [f"e{self.random.randrange(ELEMENTS)}" for _ in range(count)]
        rows = b"".join(self.vector() for _ in names)
        self.ask("VICINAL.MADD", key, "FP32", count, rows, *names)

    def search(self, key, _):
        count = self.random.randrange(1, 200)
        self.ask("VSIM", key, "FP32", self.vector(), "WITHSCORES", "WITHATTRIBS", "COUNT", count)

    def search_element(self, key, element):
        self.ask("VSIM", key, "ELE", element)

    def search_filtered(self, key, _):
        least = self.random.randrange(100)
        self.ask("VSIM", key, "FP32", self.vector(), "FILTER", f".n > {least}", "COUNT", 50)

    def search_exact(self, key, _):
        self.ask("VSIM", key, "FP32", self.vector(), "TRUTH")

    def leave_searching(self, key, _):
        self.client.send("VSIM", key, "FP32", self.vector(), "TRUTH", "COUNT", 1000)
        self.client.close()
        self.connect()

    def remove(self, key, element):
        self.ask("VREM", key, element)

    def set_attribute(self, key, element):
        text = f'{{"n": {self.random.randrange(100)}, "pad": "{"x" * self.random.randrange(200)}"}}'
        self.ask("VSETATTR", key, element, self.random.choice(("", text)))

    def read(self, key, element):
        words = (
            ("VLINKS", key, element, "WITHSCORES"),
            ("VRANDMEMBER", key, self.random.randrange(-50, 50)),
            ("VRANGE", key, "-", "+", 20),
            ("VEMB", key, element),
            ("MEMORY", "USAGE", key),
            ("INFO", "everything"),
            ("VINFO", key),
        )
        self.ask(*self.random.choice(words))

    def maintain(self, key, _):
        name = self.random.choice(("STATS", "VALIDATE", "RECALL", "REPAIR", "REBUILD"))
        reply = self.ask(f"VICINAL.{name}", key)
        if name == "VALIDATE" and isinstance(reply, list):
            check_sound(reply, self.problems)

    def transaction(self, key, element):
        self.client.pipeline(
            [
                ("MULTI",),
                ("VADD", key, "FP32", self.vector(), element),
                ("VSIM", key, "ELE", element),
                ("VREM", key, element),
                ("EXEC",),
            ]
        )

    def script(self, key, element):
        text = "redis.call('VADD', KEYS[1], 'FP32', ARGV[2], ARGV[1])"
        text += " return redis.call('VSIM', KEYS[1], 'ELE', ARGV[1])"
        self.ask("EVAL", text, 1, key, element, self.vector())

    def dump_and_restore(self, key, _):
        payload = self.ask("DUMP", key)
        if isinstance(payload, bytes):
            self.ask("RESTORE", self.random.choice(KEYS), 0, payload, "REPLACE")

    def move(self, key, _):
        other = self.random.choice(KEYS)
        self.ask(*self.random.choice((("RENAME", key, other), ("COPY", key, other, "REPLACE"))))

    def drop(self, key, _):
        words = (("DEL", key), ("UNLINK", key), ("PEXPIRE", key, self.random.randrange(1, 300)))
        flush = ("FLUSHALL", self.random.choice(("SYNC", "ASYNC")))
        self.ask(*self.random.choice((*words, flush)))


def check_sound(report, problems):
    """Looks at the reply of VICINAL.VALIDATE, in either protocol."""
    pairs = report if isinstance(report[0], tuple) else list(zip(report[::2], report[1::2]))
    if dict(pairs)["problems"] != 0:
        problems.append(f"VICINAL.VALIDATE: {pairs}")


def disturb(running, seed, seconds):
    """Saves, rewrites and changes settings for `seconds`."""
    draw = random.Random(seed)
    end = time.monotonic() + seconds
    with running.client() as client:
        while time.monotonic() < end:
            client.send(draw.choice(("BGSAVE", "BGREWRITEAOF")))
            client.receive()  # an error when one is running
            client.call("CONFIG", "SET", "vicinal.search-threads", draw.choice((0, 1, 2, 8)))
            time.sleep(0.3)


def nothing_expires(client):
    keyspace = client.call("INFO", "keyspace")
    return b"db0" not in keyspace or b"expires=0" in keyspace


def check_afterwards(running, replica, problems):
    """The server's data is sound, and the same in the replica and in the log."""

    def idle():
        info = running.info("persistence")
        return info["rdb_bgsave_in_progress"] == info["aof_rewrite_in_progress"] == "0"

    server.wait_for(idle, 60, "the last save")
    info = running.info("persistence")
    for name in ("rdb_last_bgsave_status", "aof_last_bgrewrite_status"):
        if info[name] != "ok":
            problems.append(f"{name}: {info[name]}")
    with running.client() as client:
        server.wait_for(lambda: nothing_expires(client), 10, "the last keys to expire")
        for key in client.call("KEYS", "*"):
            check_sound(client.call("VICINAL.VALIDATE", key), problems)
        digest = client.call("DEBUG", "DIGEST")
        running.wait_caught_up(replica)
        with replica.client() as other:
            if other.call("DEBUG", "DIGEST") != digest:
                problems.append("the replica differs")
        client.call("DEBUG", "LOADAOF")
        if client.call("DEBUG", "DIGEST") != digest:
            problems.append("the append-only file differs")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--preamble", choices=("yes", "no"), default="yes")
    options = parser.parse_args()
    server.require_program()
    print(f"--seed {options.seed}", flush=True)
    config = {"appendonly": "yes", "aof-use-rdb-preamble": options.preamble}
    with server.Server(options.module, config=config) as running:
        replica = running.replica()
        stop = threading.Event()
        actors = [Actor(running, options.seed + i, stop) for i in range(CLIENTS)]
        problems = []
        for actor in actors:
            actor.start()
        try:
            disturb(running, options.seed, options.seconds)
        except (OSError, ErrorReply) as error:
            problems.append(repr(error))
        stop.set()
        for actor in actors:
            actor.join(60)
            problems += actor.problems + (["a client hangs"] if actor.is_alive() else [])
        if running.running():
            check_afterwards(running, replica, problems)
        else:
            problems.append(f"the server ended\n{running.tail(200)}")
        count = sum(actor.count for actor in actors)
        forks = running.info("stats")["total_forks"] if running.running() else "?"
        if not problems and running.stop() != 0:
            code = running.process.returncode
            problems.append(f"the server ended with {code}\n{running.tail(200)}")
        print(f"{count} operations, {forks} forks, {len(problems)} problems")
        for problem in problems[:20]:
            print(problem)
    return 1 if problems or count < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
