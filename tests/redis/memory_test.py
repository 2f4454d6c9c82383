"""Memory is counted: MEMORY USAGE, INFO's sum, maxmemory, and many small sets.

    memory_test.py MODULE [--vectors N] [--sets N]

INFO's sum follows a set that grows a vector at a time. MEMORY USAGE of a large set is within 5 % of what the
process grew by; VADD and VICINAL.MADD are refused when used_memory and the arenas together pass maxmemory, while
reading and removing go on; sets of one element take less than 2 KB each, key and vector included, when they are
made and when they are loaded.
"""

import argparse
import os
import struct
import sys

import server
from resp import ErrorReply
from workload import vector

DIMENSION = 128
MOST_OF_ONE = 2048  # bytes of a set of one element, and of its key


def resident(running):
    with running.client() as client:
        client.call("MEMORY", "PURGE")  # what the allocator keeps for later
    with open(f"/proc/{running.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def arena_bytes(client):
    text = client.call("INFO", "vicinal").decode()
    return int(text.split("vicinal_arena_bytes:")[1].split()[0])


def add_many(client, key, count, batch=500):
    for first in range(0, count, batch):
        names = [f"element:{i}" for i in range(first, min(count, first + batch))]
        rows = b"".join(vector(name, DIMENSION) for name in names)
        client.call("VICINAL.MADD", key, "FP32", len(names), rows, *names)


def check_large(running, client, count):
    """MEMORY USAGE and INFO beside the process's own growth."""
    add_many(client, "warm", 2000)  # what any first set brings with it: threads, scratch
    client.call("DEL", "warm")
    before = resident(running)
    add_many(client, "large", count)
    grown = resident(running) - before
    usage = client.call("MEMORY", "USAGE", "large")
    share = usage / grown
    assert 0.95 < share < 1.05, f"MEMORY USAGE {usage}, the process grew by {grown}: {share:.3f}"
    check_sum(client)
    # One at a time, the account goes on without looking.
    client.pipeline(
        [("VADD", "large", "FP32", vector(i, DIMENSION), f"single:{i}") for i in range(1000)]
    )
    check_sum(client)
    usage = client.call("MEMORY", "USAGE", "large")
    print(f"{count} x {DIMENSION}: {usage / count:.0f} bytes a vector, {share:.3f} of what it grew by")


def index_bytes(client, key):
    """What the index of `key` takes, exactly; 0 while it has no graph: the server's heap has all."""
    stats = client.call("VICINAL.STATS", key)
    fields = dict(zip(stats[::2], stats[1::2]))
    if fields["flat"]:
        return 0
    return sum(fields[f"bytes-{kind}"] for kind in ("vectors", "codes", "links", "nodes"))


def check_sum(client):
    """INFO's sum is that of the only large set, exactly asked for."""
    exact = index_bytes(client, "large")
    counted = arena_bytes(client)
    pages = 2 << 20  # what grows by huge pages is not where it will be on average
    assert abs(counted - exact) < 0.05 * exact + pages, (counted, exact)


def check_growth(client):
    """INFO's sum is right within an eighth after every write of a set, from the one on that begins a graph."""
    for dimension, first, last in ((DIMENSION, 470, 700), (3072, 150, 260), (16384, 1, 50)):
        rows = {i: vector(i, 64) * (dimension // 64) for i in range(last)}
        client.pipeline([("VADD", "grows", "FP32", rows[i], i) for i in range(first)])
        for i in [*range(first, last), *range(0, last, 3), *range(0, last, 3)]:
            rows[i] = vector((i, "another"), 64) * (dimension // 64) if i < first else rows[i]
            client.call("VADD", "grows", "FP32", rows[i], i)
            exact, counted = index_bytes(client, "grows"), arena_bytes(client)
            assert abs(counted - exact) <= exact / 8, (dimension, i, counted, exact)
        assert exact > 0
        # At one stroke.
        client.call("DEL", "grows")
        client.call("VICINAL.MADD", "grows", "FP32", last, b"".join(rows.values()), *rows)
        assert arena_bytes(client) == index_bytes(client, "grows") > 0, dimension
        client.call("DEL", "grows")
        assert arena_bytes(client) == 0


def used_memory(running):
    return int(running.info("memory")["used_memory"])


def refused(client, *words):
    try:
        client.call(*words)
    except ErrorReply as error:
        assert str(error) == "OOM command not allowed when used memory > 'maxmemory'.", error
        return True
    return False


def check_limit(running, client):
    """The arenas count, though the server does not see them."""
    words = ("VADD", "large", "FP32", vector(0, DIMENSION), "one more")
    row = vector(1, DIMENSION)
    client.call("VADD", "few", "VALUES", 2, 1, 0, "a")
    dump = client.call("DUMP", "few")
    client.call("DEL", "few")
    limit = used_memory(running) + arena_bytes(client) // 2
    client.call("CONFIG", "SET", "maxmemory", limit)
    assert used_memory(running) < limit
    assert refused(client, *words)
    assert refused(client, "VICINAL.MADD", "large", "FP32", 1, row, "and another")
    assert refused(client, "VICINAL.CREATE", "new", "DIM", 3)
    assert refused(client, "VSETATTR", "large", "element:1", '{"a":1}')
    assert refused(client, "VICINAL.REBUILD", "large")
    before = arena_bytes(client)
    for other in (("COPY", "large", "copied"), ("RESTORE", "restored", 0, dump)):
        assert isinstance(client.pipeline([other])[0], ErrorReply), other[0]
    assert client.call("EXISTS", "copied", "restored") == 0 and arena_bytes(client) == before
    assert client.call("VSETATTR", "large", "element:1", "") == 1
    assert client.call("VISMEMBER", "large", "one more") == 0
    assert len(client.call("VSIM", "large", "FP32", row)) == 10
    assert client.call("VREM", "large", "element:0") == 1
    client.call("CONFIG", "SET", "maxmemory", limit * 2 + arena_bytes(client))
    assert client.call(*words) == 1
    assert client.call("VICINAL.REBUILD", "large") == "OK"
    # There is room for what is there, not for as much again.
    client.call("CONFIG", "SET", "maxmemory", used_memory(running) + arena_bytes(client) + (1 << 20))
    assert client.call("VSETATTR", "large", "element:1", '{"a":1}') == 1
    assert refused(client, "VICINAL.REBUILD", "large")
    assert isinstance(client.pipeline([("COPY", "large", "copied")])[0], ErrorReply)
    client.call("CONFIG", "SET", "maxmemory", 0)
    assert client.call("VADD", "large", "FP32", row, "no limit") == 1


def check_replica(running, client):
    """What the primary accepted, a replica takes, and what a file says, whoever reads it."""
    client.call("VADD", "few", "VALUES", 2, 1, 0, "a")
    replica = running.replica(maxmemory=1)
    client.call("COPY", "few", "copied")
    client.call("RESTORE", "restored", 0, client.call("DUMP", "few"))
    client.call("VSETATTR", "copied", "a", '{"a":1}')
    running.wait_caught_up(replica)
    with replica.client() as other:
        assert other.call("EXISTS", "few", "copied", "restored") == 3
        assert other.call("VGETATTR", "copied", "a") == b'{"a":1}'
    replica.close()
    client.call("CONFIG", "SET", "maxmemory", 1)
    client.call("DEBUG", "RELOAD")
    assert client.call("DBSIZE") == 3
    client.call("CONFIG", "SET", "maxmemory", 0)
    client.call("DEL", "few", "copied", "restored")


def check_small(running, client, count):
    """Many sets of one element."""
    before = resident(running)
    for first in range(0, count, 1000):
        replies = client.pipeline(
            [
                ("VADD", f"set:{i}", "FP32", struct.pack("<4f", 1, i, 0, 1), "element")
                for i in range(first, min(count, first + 1000))
            ]
        )
        assert replies == [1] * len(replies), replies[:3]
    each = (resident(running) - before) / count
    assert each < MOST_OF_ONE, f"{each:.0f} bytes a set"
    usage = client.call("MEMORY", "USAGE", "set:1")
    assert usage < MOST_OF_ONE, usage
    digest = client.call("DEBUG", "DIGEST-VALUE", "set:0", f"set:{count - 1}")
    client.call("DEBUG", "RELOAD")
    assert client.call("DBSIZE") == count + 1
    assert client.call("DEBUG", "DIGEST-VALUE", "set:0", f"set:{count - 1}") == digest
    loaded = client.call("MEMORY", "USAGE", "set:1")
    assert loaded < MOST_OF_ONE, loaded
    print(f"{count} sets of one element: {each:.0f} bytes each, {usage} by MEMORY USAGE, {loaded} loaded")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--vectors", type=int, default=20000)
    parser.add_argument("--sets", type=int, default=20000)
    options = parser.parse_args()
    server.require_program()
    if os.environ.get("VICINAL_REDIS_PRELOAD"):
        server.skip("a sanitizer's memory is not the module's")
    with server.Server(options.module) as running, running.client(timeout=600) as client:
        check_growth(client)
        check_replica(running, client)
        check_large(running, client, options.vectors)
        check_small(running, client, options.sets)
        check_limit(running, client)
    return 0


if __name__ == "__main__":
    sys.exit(main())
