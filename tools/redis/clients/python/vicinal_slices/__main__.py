"""Commands for an index of many keys: plan it, fill it from a file, search it, and measure its recall.

usage: python3 -m vicinal_slices [--server HOST:PORT] plan|create|import|search|recall|copy|drop ...
The files are numpy's .npy, a float32 row a vector; elements are row numbers, or lines of --names.
"""

import argparse
import math
import random
import sys
import time

import redis

from . import SlicedIndex, tags

# Bytes of memory of an element beside its vector, by MEMORY USAGE: level, a short name, tables and some
# slack; and links. bench/redis/cluster prints the sum.
BYTES_BESIDE = 280
BYTES_A_LINK = 20  # times M
MOVABLE = 64 << 20  # serialized bytes of a key that MIGRATE moves in about a second


def plan(options):
    """Keys, tags and servers for a number of vectors."""
    component = 4 if options.noquant else 5
    element = component * options.dimension + BYTES_BESIDE + BYTES_A_LINK * options.m
    total = element * options.vectors
    usable = options.memory * 1e9 * options.fill
    primaries = max(3, math.ceil(total / usable))
    slices = options.slices or math.ceil(primaries * options.growth)
    serialized = (4 * options.dimension + 200) * options.vectors / slices
    print(f"{element} bytes an element, {total / 1e9:.1f} GB in all ({component} bytes a component)")
    print(f"{primaries} primaries of {options.memory:g} GB, {options.fill:.0%} of it used"
          f" (three at least), and {primaries * options.replicas} replicas")
    print(f"P = {slices} keys of {options.vectors / slices:.0f} vectors, {total / slices / 1e9:.2f} GB each")
    ef = max(options.count, math.ceil(options.ef / math.sqrt(slices)))
    print(f"a search asks {slices} keys on at most {min(slices, primaries)} servers, ef {ef} each")
    if serialized <= MOVABLE:
        print("slots can be moved one by one (redis-cli --cluster rebalance)")
    else:
        print(f"a key is {serialized / 1e6:.0f} MB serialized: move servers, not slots"
              " (a new replica, CLUSTER FAILOVER)")
    print("tags:", *tags(slices))


def connect(options):
    host, _, port = options.server.rpartition(":")
    return redis.RedisCluster(host=host, port=int(port), password=options.password)


def create(options):
    words = (["NOQUANT"] if options.noquant else []) + ["M", options.m, "EF", options.ef_construction]
    SlicedIndex.create(connect(options), options.name, options.slices, options.dimension, words)
    print(f"{options.name}: {options.slices} keys of {options.dimension} components")


def rows_of(path):
    import numpy

    rows = numpy.load(path, mmap_mode="r")
    if rows.ndim != 2:
        raise ValueError(f"{path}: {rows.ndim} dimensions; rows of vectors have 2")
    return numpy, rows


def import_file(options):
    index = SlicedIndex(connect(options), options.name)
    numpy, rows = rows_of(options.file)
    names = range(len(rows))
    if options.names:
        with open(options.names, encoding="utf-8") as file:
            names = file.read().splitlines()
        if len(names) != len(rows):
            raise ValueError(f"{len(names)} names for {len(rows)} vectors")
    began, new = time.monotonic(), 0
    for first in range(0, len(rows), options.batch):
        some = numpy.ascontiguousarray(rows[first : first + options.batch], dtype="<f4")
        items = zip(names[first : first + len(some)], some)
        new += sum(index.add_many([(str(name), row.tobytes()) for name, row in items], options.wait))
    took = time.monotonic() - began
    print(f"{len(rows)} vectors, {new} of them new, in {took:.1f} s ({len(rows) / took:.0f}/s)")


def search(options):
    index = SlicedIndex(connect(options), options.name)
    if options.element is not None:
        vector = index.vector(options.element)
        if vector is None:
            raise KeyError(f"there is no element {options.element!r}")
    else:
        numpy, rows = rows_of(options.file)
        vector = numpy.ascontiguousarray(rows[options.row], dtype="<f4").tobytes()
    extra = ("TRUTH",) if options.truth else ()
    for element, score in index.search(vector, options.count, options.ef, extra):
        print(f"{score:.6f}  {element.decode(errors='replace')}")


def recall(options):
    """Of --queries vectors of the file, or of the index where none is named, against exact searches."""
    index = SlicedIndex(connect(options), options.name)
    if options.file:
        numpy, rows = rows_of(options.file)
        chosen = random.Random(0).sample(range(len(rows)), min(options.queries, len(rows)))
        vectors = [numpy.ascontiguousarray(rows[row], dtype="<f4").tobytes() for row in chosen]
    else:
        per_key = math.ceil(options.queries / index.slices)
        vectors = []
        for names in index.ask([("VRANDMEMBER", key, per_key) for key in index.keys]):
            if isinstance(names, Exception):
                raise names
            vectors += filter(None, map(index.vector, names))  # None: removed a moment ago
    found = wanted = 0
    for vector in vectors:
        exact = {name for name, _ in index.search(vector, options.count, options=("TRUTH",))}
        found += sum(name in exact for name, _ in index.search(vector, options.count, options.ef))
        wanted += len(exact)
    if wanted == 0:
        raise ValueError("there is nothing to search for")
    print(f"recall@{options.count} {found / wanted:.4f} over {len(vectors)} searches")


def copy(options):
    source = SlicedIndex(connect(options), options.name)
    copied = source.copy(options.to, options.slices)
    print(f"{copied.count()} elements in {options.slices} keys")


def drop(options):
    SlicedIndex(connect(options), options.name).drop()


def arguments():
    parser = argparse.ArgumentParser(prog="python3 -m vicinal_slices", description=__doc__.splitlines()[0])
    parser.add_argument("--server", default="127.0.0.1:6379", help="any server of the cluster")
    parser.add_argument("--password")
    commands = parser.add_subparsers(required=True)

    def command(run, name, *places):
        one = commands.add_parser(name)
        one.set_defaults(run=run)
        for place in places:
            one.add_argument(place)
        return one

    one = command(plan, "plan")
    one.add_argument("vectors", type=int)
    one.add_argument("dimension", type=int)
    one.add_argument("--memory", type=float, default=64, help="GB of a server (default: 64)")
    one.add_argument("--fill", type=float, default=0.6, help="part of it to be used (default: 0.6)")
    one.add_argument("--growth", type=float, default=1.5, help="keys for each primary (default: 1.5)")
    one.add_argument("--slices", type=int, help="so many keys")
    one.add_argument("--replicas", type=int, default=1, help="of each primary (default: 1)")
    one.add_argument("--ef", type=int, default=64, help="ef that one graph would need (default: 64)")
    one.add_argument("--count", type=int, default=10)
    one.add_argument("--noquant", action="store_true")
    one.add_argument("-m", type=int, default=16)
    one = command(create, "create", "name")
    one.add_argument("slices", type=int)
    one.add_argument("dimension", type=int)
    one.add_argument("--noquant", action="store_true")
    one.add_argument("-m", type=int, default=16)
    one.add_argument("--ef-construction", type=int, default=200)
    one = command(import_file, "import", "name", "file")
    one.add_argument("--names", help="a file with an element a line")
    one.add_argument("--batch", type=int, default=200)
    one.add_argument("--wait", type=int, default=0, help="replicas that confirm each batch")
    one = command(search, "search", "name")
    what = one.add_mutually_exclusive_group(required=True)
    what.add_argument("--element")
    what.add_argument("--file", help="with --row")
    one.add_argument("--row", type=int, default=0)
    one.add_argument("--count", type=int, default=10)
    one.add_argument("--ef", type=int)
    one.add_argument("--truth", action="store_true", help="exact")
    one = command(recall, "recall", "name")
    one.add_argument("--file", help="queries; default: elements of the index")
    one.add_argument("--queries", type=int, default=100)
    one.add_argument("--count", type=int, default=10)
    one.add_argument("--ef", type=int)
    one = command(copy, "copy", "name", "to")
    one.add_argument("slices", type=int)
    command(drop, "drop", "name")
    return parser.parse_args()


def main():
    options = arguments()
    try:
        options.run(options)
    except (OSError, KeyError, ValueError, redis.exceptions.RedisError) as error:
        sys.exit(f"error: {error}")
    except redis.exceptions.RedisClusterException as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
