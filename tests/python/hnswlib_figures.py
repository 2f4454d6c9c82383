"""Prints the speed and recall of vicinal.hnswlib beside hnswlib's, one program for both.

usage: PYTHONPATH=STAGE hnswlib_figures.py [ROWS [DIMENSION]]     by default 20,000 rows of 128
"""

import sys
import time

import numpy as np

import vicinal.hnswlib as ours

try:
    import hnswlib as theirs
except ImportError:
    sys.exit("hnswlib itself is not here (python3-hnswlib)")

QUERIES, K = 1000, 10


def timed(call):
    start = time.perf_counter()
    told = call()
    return time.perf_counter() - start, told


def main(count=20_000, dimension=128):
    # Clusters, as embeddings have them.
    draw = np.random.default_rng(1)
    centres = draw.standard_normal((200, dimension))
    points = centres[draw.integers(200, size=count + QUERIES)]
    points = (points + 0.7 * draw.standard_normal(points.shape)).astype(np.float32)
    data, queries = points[:count], points[count:]
    unit = [rows / np.linalg.norm(rows, axis=1)[:, None] for rows in (data, queries)]
    true = np.argpartition(-(unit[1] @ unit[0].T), K, axis=1)[:, :K]
    print(f"{count} rows of {dimension}, cosine, M 16, ef_construction 200, k {K}, "
          f"{QUERIES} queries, one thread for queries")
    for name, module in (("hnswlib", theirs), ("vicinal.hnswlib", ours)):
        index = module.Index(space="cosine", dim=dimension)
        index.init_index(max_elements=count, ef_construction=200, M=16)
        seconds, _ = timed(lambda: index.add_items(data))
        print(f"{name:16} add_items {count / seconds:9.0f} rows/s")
        for ef in (10, 20, 50, 100, 200):
            index.set_ef(ef)
            seconds, told = timed(lambda: index.knn_query(queries, k=K, num_threads=1))
            found = [len(set(f) & set(t)) / K for f, t in zip(told[0].tolist(), true.tolist())]
            print(f"{name:16} ef {ef:4} {QUERIES / seconds:9.0f} queries/s, "
                  f"recall {np.mean(found):.4f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
