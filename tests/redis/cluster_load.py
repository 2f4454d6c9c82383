"""Writers and readers of an index of many keys, and a ledger of what the cluster must hold.

    ledger = Ledger()
    with Load(running, "index", dimension, ledger, writers=2, readers=2) as load:
        ...                     # kill, move, add servers
    ledger.check(index)

A writer adds, replaces and removes elements of its own, each write confirmed by `replicas` replicas.
What was confirmed must be there; what was sent and not confirmed may be there.
"""

import array
import random
import threading
import time

import cluster
from workload import vector

vicinal_slices = cluster.require_client()
exceptions = vicinal_slices.exceptions
WIDE = 1024  # components of a set that only has to be large


class Ledger:
    """Element -> what it may be: seeds of vectors, None for not there. The first is the last confirmed."""

    def __init__(self, dimension):
        self.dimension = dimension
        self.possible = {}
        self.confirmed = 0
        self._lock = threading.Lock()

    def sent(self, element, seed):
        with self._lock:
            self.possible.setdefault(element, [None]).append(seed)

    def was_confirmed(self, element, seed):
        with self._lock:
            self.possible[element] = [seed]
            self.confirmed += 1

    def check(self, index):
        """Every element is in its own key only, with a vector that it may have; returns their number."""
        there = {}
        for key in index.keys:
            for name, row, _ in index.items(key):
                assert index.key(name) == key and name not in there, (name, key)
                there[name] = row
        assert index.count() == len(there)
        for element, seeds in self.possible.items():
            row = there.pop(element.encode(), None)
            allowed = [None if seed is None else vector(seed, self.dimension) for seed in seeds]
            assert row in allowed, (element, "lost" if row is None else "changed", seeds)
        assert not there, f"not of ours: {list(there)[:5]}"
        member = [("VISMEMBER", index.key(e), e) for e, s in self.possible.items() if None not in s]
        assert all(reply == 1 for reply in index.ask(member))
        return len(member)


class Load:
    """Threads that write and read until the end of `with`, which raises what went wrong in them.

    errors   (begin, end, text) of calls that failed; unconfirmed: writes that too few replicas confirmed
    longest  seconds of the longest call that succeeded, since reset(), by kind
    prefix   of the writers' elements: two loads of one ledger have different ones
    stable   elements that nobody changes: a search for one with TRUTH must find it, first, once
    """

    def __init__(
        self, running, name, ledger, writers=2, readers=2, replicas=1, stable=(), patience=15.0, prefix="w"
    ):
        self.ledger, self.replicas, self.stable, self.prefix = ledger, replicas, stable, prefix
        self.errors, self.unconfirmed = [], 0
        self.reads = self.writes = 0
        self.longest = {"read": 0.0, "write": 0.0}
        self._wrong = []
        self._ended = threading.Event()
        self._threads = []
        for number in range(writers + readers):
            index = vicinal_slices.SlicedIndex(running.redis(), name, patience)
            body = self._write if number < writers else self._read
            self._threads.append(threading.Thread(target=self._run, args=(body, index, number)))

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join()
        if self._wrong and kind is None:
            raise self._wrong[0]

    def reset(self):
        self.longest = {"read": 0.0, "write": 0.0}

    def alive(self):
        """Raises what a thread has found wrong until now."""
        if self._wrong:
            raise self._wrong[0]

    def _run(self, body, index, number):
        draw, step = random.Random(number), 0
        try:
            while not self._ended.is_set():
                start = time.monotonic()
                try:
                    kind = body(index, draw, number, step)
                except vicinal_slices.NotReplicated:
                    self.unconfirmed += 1
                except (exceptions.RedisError, exceptions.RedisClusterException) as error:
                    self.errors.append((start, time.monotonic(), repr(error)))
                    time.sleep(0.05)
                else:
                    took = time.monotonic() - start
                    self.longest[kind] = max(self.longest[kind], took)
                step += 1
        except BaseException as error:  # told by __exit__
            self._wrong.append(error)

    def _write(self, index, draw, number, step):
        element, seed = f"{self.prefix}{number}:{step}", draw.randrange(1 << 30)
        kind = draw.random()
        if kind > 0.7 and step > 10:
            element = f"{self.prefix}{number}:{draw.randrange(step)}"
            seed = None if kind > 0.85 else seed
        self.ledger.sent(element, seed)
        if seed is None:
            index.remove(element, self.replicas)
        else:
            index.add(element, vector(seed, self.ledger.dimension), replicas=self.replicas)
        self.ledger.was_confirmed(element, seed)
        self.writes += 1
        return "write"

    def _read(self, index, draw, number, step):
        dimension = self.ledger.dimension
        if not self.stable:
            hits = index.search(vector(draw.randrange(1 << 30), dimension), 10)
        else:
            seed = draw.choice(self.stable)
            hits = index.search(vector(seed, dimension), 10, options=("TRUTH",))
            assert hits and hits[0][0] == f"stable{seed}".encode(), (seed, hits)
        names = [name for name, _ in hits]
        assert len(set(names)) == len(names), names
        self.reads += 1
        return "read"


def add_stable(index, count, dimension, ledger):
    """Adds `count` elements that stay as they are; returns their seeds."""
    for first in range(0, count, 200):
        seeds = range(first, min(count, first + 200))
        index.add_many([(f"stable{seed}", vector(seed, dimension)) for seed in seeds])
        for seed in seeds:
            ledger.sent(f"stable{seed}", seed)
            ledger.was_confirmed(f"stable{seed}", seed)
    return list(range(count))


def same_on_replicas(running, keys):
    """Every replica has its primary's keys, by DEBUG DIGEST-VALUE; to be called when nobody writes."""
    compared = 0
    for key in keys:
        primary = running.primary_of(key)
        for replica in running.replicas_of(primary):
            primary.wait_caught_up(replica)
            digests = [node.call("DEBUG", "DIGEST-VALUE", key) for node in (primary, replica)]
            assert digests[0] == digests[1], (key, digests)
            compared += 1
    return compared


def grow(node, key, megabytes):
    """Makes a set of about that many serialized bytes. Few links: what is moved counts, not how it was made."""
    node.call("VICINAL.CREATE", key, "DIM", WIDE, "M", 4, "EF", 16, "NOQUANT")
    made, total = 0, max(1, megabytes * 1000000 // (4 * WIDE + 100))
    with node.client() as client:
        while made < total:
            some = [f"g{i}" for i in range(made, min(total, made + 200))]
            letters = array.array("b", random.Random(made).randbytes(WIDE * len(some)))
            blob = array.array("f", letters).tobytes()
            assert client.call("VICINAL.MADD", key, "FP32", len(some), blob, *some) == len(some)
            made += len(some)
