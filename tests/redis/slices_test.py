"""The reference client for Python (tools/redis/clients/python) on a cluster of three: what it finds with
TRUTH is what one key with all vectors finds, bit for bit; adding, removing, copying, partial answers.

    slices_test.py MODULE [--size N] [--dimension N]
"""

import argparse
import os
import struct
import subprocess
import sys
import tempfile

import cluster
import server
from workload import vector

vicinal_slices = cluster.require_client()
SlicedIndex = vicinal_slices.SlicedIndex
# Seeds from here on are queries': of vectors that nobody has added.
QUERY = 1 << 24


def refused(kind, call, *words):
    try:
        call(*words)
    except kind as error:
        return str(error)
    raise AssertionError(f"{words} was taken")


def rules():
    """What needs no server."""
    assert vicinal_slices.tags(6) == ("3kw", "17p", "5ab", "1i1", "356", "bit")
    assert vicinal_slices.tags(1) == (vicinal_slices.tags(3)[1],)
    assert len(set(vicinal_slices.tags(500))) == 500
    assert refused(ValueError, vicinal_slices.tags, 0).startswith("0 slices")
    answers = [[(b"b", 0.5), (b"z", 0.25)], [(b"a", 0.5)], []]
    assert vicinal_slices.merge(answers, 2) == [(b"a", 0.5), (b"b", 0.5)]


def compare(client, index, size, dimension, queries):
    """Merged answers against one key that has everything; returns recall@10 of both."""
    whole = "{whole}"
    added = []
    for first in range(0, size, 500):
        names = range(first, min(size, first + 500))
        items = [(f"e{i}", vector(i, dimension)) for i in names]
        # Some vectors twice, so that scores are equal across keys.
        items += [(f"again{i}", vector(i, dimension)) for i in names if i % 100 == 0]
        assert index.add_many(items) == [True] * len(items)
        blob = b"".join(row for _, row in items)
        words = ("VICINAL.MADD", whole, "FP32", len(items), blob, *(name for name, _ in items))
        assert client.execute_command(*words) == len(items)
        added += items
    assert index.count() == len(added)
    cards = [client.execute_command("VCARD", key) for key in index.keys]
    assert min(cards) > len(added) / index.slices / 2, cards
    found = [0, 0]
    for query in (vector(QUERY + i, dimension) for i in range(queries)):
        words = ("VSIM", whole, "FP32", query, "WITHSCORES", "COUNT", len(added), "TRUTH")
        reply = client.execute_command(*words)
        exact = vicinal_slices.merge([list(zip(reply[::2], map(float, reply[1::2])))], 10)
        merged = index.search(query, 10, options=("TRUTH",))
        assert merged == exact, (merged, exact)
        best = {name for name, _ in exact}
        found[0] += sum(name in best for name, _ in index.search(query, 10))
        one = client.execute_command("VSIM", whole, "FP32", query, "COUNT", 10)
        found[1] += sum(name in best for name in one)
    # An exact answer of our own, in double precision.
    query = struct.unpack(f"<{dimension}f", vector(QUERY, dimension))
    cosine = {}
    for name, row in added:
        row = struct.unpack(f"<{dimension}f", row)
        norm = sum(x * x for x in row) * sum(x * x for x in query)
        cosine[name.encode()] = 0.5 + 0.5 * sum(map(lambda x, y: x * y, row, query)) / norm**0.5
    for name, score in index.search(list(query), 10, options=("TRUTH",)):
        assert abs(cosine.pop(name) - score) < 1e-5, (name, score)
    assert max(cosine.values()) <= score + 1e-5
    return [hits / (10 * queries) for hits in found]


def change(client, index, dimension):
    """Updates, removals, attributes, a copy with another P."""
    assert index.add("e1", vector(10**6, dimension), '{"a": 1}') is False
    assert index.search(vector(10**6, dimension), 1) == [(b"e1", 1.0)]
    assert index.blob(index.vector("e1")) == vector(10**6, dimension)
    assert index.remove("e2") is True and index.remove("e2") is False and index.vector("e2") is None
    assert b"e2" not in dict(index.search(vector(2, dimension), 10))
    text = refused(ValueError, index.add, "e", [1.0])
    assert text == f"1 components; the index has {dimension}", text
    refused(ValueError, SlicedIndex.create, client, index.name, 2, dimension)
    refused(KeyError, SlicedIndex, client, "nothing")
    refused(ValueError, index.copy, index.name, 2)
    copied = index.copy("copy", 4)
    assert copied.count() == index.count() and copied.keys != index.keys
    assert SlicedIndex(client, "copy").options == index.options
    assert client.execute_command("VGETATTR", copied.key("e1"), "e1") == b'{"a": 1}'
    for seed in range(QUERY, QUERY + 20):
        query = vector(seed, dimension)
        assert copied.search(query, 10, options=("TRUTH",)) == index.search(query, 10, options=("TRUTH",))
    copied.drop()
    refused(KeyError, SlicedIndex, client, "copy")
    assert client.exists(*copied.keys) == 0


def interrupted(client, dimension):
    """What create() leaves behind when it is ended between its commands, and what an older one left."""
    send, sent = client.execute_command, []

    def send_one(*words, **options):
        if sent:
            raise KeyboardInterrupt
        sent.append(words[0])
        return send(*words, **options)

    client.execute_command = send_one
    refused(KeyboardInterrupt, SlicedIndex.create, client, "cut", 3, dimension, ("NOQUANT",))
    client.execute_command = send
    cut = SlicedIndex(client, "cut")
    assert (cut.slices, cut.dimension, cut.options) == (3, dimension, ("NOQUANT",))
    cut.drop()
    client.hset("half", "slices", 5)
    refused(KeyError, SlicedIndex, client, "half")
    assert SlicedIndex.create(client, "half", 3, dimension).slices == 3
    SlicedIndex(client, "half").drop()


def undecodable(running, dimension):
    """An element that the client cannot decode fails one call; its connections are given back."""
    client = running.redis(decode_responses=True)
    index = SlicedIndex.create(client, "texts", 3, dimension)
    index.add_many([(b"\xff\xfe", vector(1, dimension)), ("text", vector(2, dimension))])
    for _ in range(3):
        refused(UnicodeDecodeError, index.search, vector(1, dimension))
        assert index.count() == 2 and index.blob(index.vector("text")) == vector(2, dimension)
    for node in client.get_primaries():
        assert not client.get_redis_connection(node).connection_pool._in_use_connections, node
    index.drop()


def commands(client, port, dimension):
    """The client's own commands, on a file."""
    try:
        import numpy
    except ImportError:
        return "commands not run: python3-numpy is not installed"
    with tempfile.TemporaryDirectory(prefix="vicinal-slices-") as folder:
        rows = numpy.random.default_rng(1).standard_normal((300, dimension))
        path = os.path.join(folder, "rows.npy")
        numpy.save(path, rows.astype("float32"))

        def run(*words):
            line = [sys.executable, "-B", "-m", "vicinal_slices", "--server", f"127.0.0.1:{port}"]
            environment = dict(os.environ, PYTHONPATH=os.path.join(cluster.CLIENTS, "python"))
            line += map(str, words)
            done = subprocess.run(line, capture_output=True, text=True, env=environment)
            return done.stdout if done.returncode == 0 else done.stderr

        assert "\nP = 99 keys" in run("plan", 10**9, 384)
        run("create", "file", 3, dimension)
        assert run("import", "file", path).startswith("300 vectors, 300 of them new")
        assert run("search", "file", "--element", "7", "--count", 1) == "1.000000  7\n"
        assert run("search", "file", "--file", path, "--row", 8, "--count", 1) == "1.000000  8\n"
        assert float(run("recall", "file", "--queries", 20).split()[1]) > 0.9
        assert run("copy", "file", "file5", 5) == "300 elements in 5 keys\n"
        key = SlicedIndex(client, "file").keys[1]
        client.delete(key)
        client.set(key, "a string")
        assert run("recall", "file").startswith("error: WRONGTYPE"), run("recall", "file")
        assert run("drop", "file") == ""
        assert "there is no index" in run("search", "file", "--element", "7")
    return "commands run"


def partial(running, index, dimension):
    """A server away: a whole answer fails, a partial one says what is missing."""
    query = vector(QUERY, dimension)
    everything = index.search(query, 50, options=("TRUTH",))
    running.primary_of(index.keys[0]).kill()
    index.patience = 0.0
    refused(vicinal_slices.exceptions.RedisError, index.search, query)
    hits, failures = index.search_partial(query, 50, options=("TRUTH",))
    assert set(failures) == set(index.keys[: index.slices // 3]), failures
    left = [hit for hit in everything if index.key(hit[0]) not in failures]
    assert hits[: len(left)] == left


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--size", type=int, default=3000)
    parser.add_argument("--dimension", type=int, default=24)
    parser.add_argument("--queries", type=int, default=50)
    options = parser.parse_args()
    server.require_program()
    rules()
    # A server away for a moment is not to take the others down: require-full-coverage is for those
    # who would rather have no answer.
    config = {"cluster-require-full-coverage": "no"}
    with cluster.Cluster(options.module, replicas=0, config=config) as running:
        client = running.redis()
        index = SlicedIndex.create(client, "index", 6, options.dimension)
        sliced, one = compare(client, index, options.size, options.dimension, options.queries)
        assert sliced >= one - 0.005, (sliced, one)
        change(client, index, options.dimension)
        interrupted(client, options.dimension)
        undecodable(running, options.dimension)
        ran = commands(client, running.nodes[0].port, options.dimension)
        partial(running, index, options.dimension)
    print(f"merged equals exact; recall@10 {sliced:.4f} of six keys, {one:.4f} of one; {ran}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
