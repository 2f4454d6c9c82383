"""What tests repeat in their heads is repeatable (workload.py). Needs no server.

usage: workload_test.py
"""

import struct
import sys

from workload import Model, floats, vector


def main():
    seeds = range(-1000, 1001)
    assert len({vector(seed, 4) for seed in seeds}) == len(seeds)
    assert all(vector(seed, 4) == vector(seed, 4) for seed in seeds)
    assert len(vector(-1, 5)) == 20
    row = vector(-7, 9)
    assert floats([f"{x!r}" for x in struct.unpack("<9f", row)]) == row

    words = [[model.next() for _ in range(500)] for model in (Model("k", 0, 3), Model("k", 0, 3))]
    assert words[0] == words[1]
    assert Model("k", 0, 3).advance(500).elements == Model("k", 0, 3).advance(300).advance(500).elements
    first, second = (Model("k", writer, 3).advance(500).elements for writer in (0, 1))
    assert first and second and not first.keys() & second.keys()
    print(f"{len(seeds)} seeds give as many vectors; 500 operations are the same twice")
    return 0


if __name__ == "__main__":
    sys.exit(main())
