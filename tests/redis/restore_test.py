"""DUMP and RESTORE, COPY, reloading and rewriting keep a set whole; damaged payloads are refused.

    restore_test.py MODULE [--payloads N]

A payload is flipped, cut, swapped, zeroed and doubled in places, and given the checksum that RESTORE looks at:
then it is the module that has to notice. The answer is `ERR Bad data format`, or a set that is sound.
"""

import argparse
import random
import sys

import server
from resp import ErrorReply
from workload import Model, is_sound, vector

_CRC64 = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x95AC9329AC4BC9B5 if byte & 1 else 0)
    _CRC64.append(byte)


def signed(payload):
    """A payload with the checksum of its bytes, which end with the RDB version."""
    crc = 0
    for byte in payload:
        crc = _CRC64[(crc ^ byte) & 0xFF] ^ crc >> 8
    return payload + crc.to_bytes(8, "little")


def mutated(payload, draw):
    """`payload`, without its checksum, changed in one to three places; the version stays."""
    body, version = bytearray(payload[:-2]), payload[-2:]
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(body))
        length = draw.choice((1, 2, 4, 8, draw.randrange(1, 64)))
        kind = draw.randrange(6)
        if kind == 0:
            body[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del body[at : at + length]
        elif kind == 2:
            other = draw.randrange(len(body))
            body[at : at + length], body[other : other + length] = (
                body[other : other + length],
                body[at : at + length],
            )
        elif kind == 3:
            body[at : at + length] = bytes(len(body[at : at + length]))
        elif kind == 4:
            body[at:at] = body[at : at + length]
        else:
            body[at : at + length] = draw.randbytes(len(body[at : at + length]))
        if not body:
            body = bytearray(b"\0")
    return bytes(body) + version


def restore_mutants(client, key, count, draw):
    """Returns how many were taken."""
    payload = client.call("DUMP", key)[:-8]
    taken = 0
    for _ in range(count):
        mutant = signed(mutated(payload, draw))
        client.send("RESTORE", "mutant", 0, mutant, "REPLACE")
        reply = client.receive()
        if isinstance(reply, ErrorReply):
            assert str(reply) == "ERR Bad data format", (reply, mutant.hex())
            continue
        taken += 1
        if client.call("TYPE", "mutant") == "vectorset":
            is_sound(client, "mutant")
            client.call("VRANGE", "mutant", "-", "+")
            client.call("DEBUG", "DIGEST-VALUE", "mutant")
    return taken


def make_sets(client):
    """Sets of every kind: small, with a graph, with free slots, empty, of other metrics."""
    for size, key in ((40, "small"), (2500, "graph")):
        model = Model(key, 0, 16)
        client.pipeline([model.next() for _ in range(size)])
    client.call("VICINAL.CREATE", "empty", "DIM", 4, "METRIC", "ip", "M", 8, "EF", 70)
    client.call("VICINAL.CREATE", "l2", "DIM", 4, "METRIC", "l2", "NOQUANT")
    client.call("VICINAL.MADD", "l2", "FP32", 3, vector(1, 12), "a", "b\0c", "")
    for i in range(30):
        client.call("VADD", "thinned", "FP32", vector(i, 16), f"e{i}", "SETATTR", "{}")
    for i in range(29):
        client.call("VREM", "thinned", f"e{i}")
    return ("small", "graph", "empty", "l2", "thinned")


def check_copies(client, keys):
    digests = client.call("DEBUG", "DIGEST-VALUE", *keys)
    query = vector(77, 16)
    found = client.call("VSIM", "graph", "FP32", query, "WITHSCORES", "WITHATTRIBS")
    links = client.call("VLINKS", "graph", client.call("VRANGE", "graph", "-", "+", 1)[0])
    for key in keys:
        client.call("RESTORE", f"{key}:restored", 0, client.call("DUMP", key))
        assert client.call("COPY", key, f"{key}:copied") == 1
        for how in ("restored", "copied"):
            # But for levels, which a set without a graph draws anew.
            infos = [client.call("VINFO", name)[:10] for name in (key, f"{key}:{how}")]
            assert infos[0] == infos[1], infos
    for how in ("restored", "copied"):
        assert client.call("DEBUG", "DIGEST-VALUE", *(f"{key}:{how}" for key in keys)) == digests
        again = f"graph:{how}"
        assert client.call("VSIM", again, "FP32", query, "WITHSCORES", "WITHATTRIBS") == found
        assert client.call("VLINKS", again, client.call("VRANGE", again, "-", "+", 1)[0]) == links
        is_sound(client, again)
        # A copy is its own: what happens to it does not happen to the set.
        client.call("VADD", again, "FP32", query, "new")
        assert client.call("VISMEMBER", "graph", "new") == 0
    assert client.call("DEBUG", "DIGEST-VALUE", *keys) == digests
    return digests


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--payloads", type=int, default=1500)
    options = parser.parse_args()
    server.require_program()
    config = {"appendonly": "yes", "appendfsync": "always", "rdbcompression": "no"}
    with server.Server(options.module, config=config) as running:
        with running.client() as client:
            keys = make_sets(client)
            digests = check_copies(client, keys)
        for preamble in ("yes", "no"):
            with running.client() as client:
                client.call("CONFIG", "SET", "aof-use-rdb-preamble", preamble)
                client.call("BGREWRITEAOF")
                server.wait_for(
                    lambda: b"aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0"
                    in client.call("INFO", "persistence"),
                    60,
                    "the rewrite",
                )
                assert b"aof_last_bgrewrite_status:ok" in client.call("INFO", "persistence")
                infos = [client.call("VINFO", key)[:10] for key in keys]
            running.kill()
            running.restart()
            with running.client() as client:
                assert client.call("DEBUG", "DIGEST-VALUE", *keys) == digests, preamble
                assert [client.call("VINFO", key)[:10] for key in keys] == infos
                is_sound(client, "graph")
        with running.client() as client:
            client.call("CONFIG", "SET", "appendonly", "no")
            client.call("DEBUG", "RELOAD")
            assert client.call("DEBUG", "DIGEST-VALUE", *keys) == digests
            draw = random.Random(9)
            counts = {"small": options.payloads * 6 // 10, "thinned": options.payloads * 3 // 10}
            counts["l2"] = options.payloads - sum(counts.values())
            taken = sum(restore_mutants(client, key, n, draw) for key, n in counts.items())
            assert client.call("DEBUG", "DIGEST-VALUE", *keys) == digests
        assert not running.sanitizer_reports(), running.log()
    print(f"{options.payloads} damaged payloads, {taken} of them whole sets all the same")
    return 0


if __name__ == "__main__":
    sys.exit(main())
