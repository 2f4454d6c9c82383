"""What the calls of a program cost in Python: see bindings.cc, which says what is measured.

usage: python.py ROWS DIMENSION
"""

import json
import sys
import time

import numpy as np

import vicinal

MANY, SMALLEST_CALLS, BLOCK, PASSES, HITS = 1000, 100_000, 20, 3, 10
FIRST_QUERY = 1_000_000_000


def vectors(first, count, dimension):
    i = np.arange(count * dimension, dtype=np.uint64) + np.uint64(first * dimension)
    i += np.uint64(0x9E3779B97F4A7C15)
    i = (i ^ (i >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    i = (i ^ (i >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    i ^= i >> np.uint64(31)
    rows = (i >> np.uint64(40)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)
    return rows.reshape(count, dimension)


def measure(operation, count, block, work):
    """Calls work(first, last) for `count` in blocks of `block`: the fastest is told."""
    least = float("inf")
    for first in range(0, count, block):
        start = time.perf_counter_ns()
        work(first, first + block)
        least = min(least, (time.perf_counter_ns() - start) / block)
    print(json.dumps({"binding": "python", "operation": operation, "ns": round(least, 1)}))


def main(rows, dimension):
    queries = vectors(FIRST_QUERY, MANY, dimension)
    small = vectors(0, 1, 4)
    smallest = vicinal.Index(dimension=4)
    smallest.upsert_batch([0], small)
    index = vicinal.Index(dimension=dimension)
    index.upsert_batch(range(rows), vectors(0, rows, dimension), threads=1)
    after = rows

    def smallest_searches(first, last, query=small[0]):
        for _ in range(first, last):
            smallest.search(query, HITS)

    def searches(first, last):
        for query in queries[first:last]:
            index.search(query, HITS)

    def upserts(first, last):
        for label, vector in zip(numbers[first:last], batch[first:last]):
            index.upsert(label, vector)

    for _ in range(PASSES):
        measure("search_smallest", SMALLEST_CALLS, MANY, smallest_searches)
        measure("search", MANY, BLOCK, searches)
        measure("search_batch", MANY, MANY, lambda *_: index.search(queries, HITS, threads=1))
        numbers, batch = range(after, after + MANY), vectors(after, MANY, dimension)
        measure("upsert", MANY, BLOCK, upserts)
        after += MANY
        numbers = np.arange(after, after + MANY, dtype=np.uint64)
        batch = vectors(after, MANY, dimension)
        measure(
            "upsert_batch", MANY, MANY, lambda *_: index.upsert_batch(numbers, batch, threads=1)
        )
        after += MANY

    # numpy's own share of a search: the two arrays of the answer.
    def arrays(first, last):
        for _ in range(first, last):
            np.empty(HITS, np.uint64), np.empty(HITS, np.float32)

    measure("numpy_arrays", SMALLEST_CALLS, MANY, arrays)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
