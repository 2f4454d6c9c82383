"""How long the server keeps others waiting while it searches and stores: PING beside searches with TRUTH
over all vectors, and the time that VADD takes of the main thread. Prints; judges no time.

usage: latency.py MODULE [--size N] [--dimension D] [--clients C] [--seconds S]
"""

import argparse
import multiprocessing
import random
import struct
import sys
import time

import server
from resp import Client


def vector(draw, dimension):
    return struct.pack(f"<{dimension}f", *(draw.gauss(0, 1) for _ in range(dimension)))


def load(client, size, dimension):
    draw = random.Random(1)
    for start in range(0, size, 1000):
        batch = range(start, min(start + 1000, size))
        commands = [("VADD", "v", "FP32", vector(draw, dimension), f"e{i}") for i in batch]
        assert client.pipeline(commands) == [1] * len(batch)


def search(port, dimension, seed, stop, counted):
    draw = random.Random(seed)
    queries = [vector(draw, dimension) for _ in range(50)]
    with Client(port) as client:
        while not stop.is_set():
            found = client.call("VSIM", "v", "FP32", draw.choice(queries), "TRUTH", "COUNT", 10)
            assert len(found) == 10
            with counted.get_lock():
                counted.value += 1


def pings(port, seconds):
    """Milliseconds of each PING, one a millisecond."""
    times = []
    with Client(port) as client:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.perf_counter()
            client.call("PING")
            times.append((time.perf_counter() - start) * 1e3)
            time.sleep(0.001)
    return times


def show(what, times):
    times = sorted(times)
    at = lambda share: times[min(len(times) - 1, int(share * len(times)))]
    print(
        f"{what}: p50 {at(0.5):.3f} ms, p99 {at(0.99):.3f} ms, p99.9 {at(0.999):.3f} ms, "
        f"longest {times[-1]:.3f} ms, {len(times)} samples"
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--size", type=int, default=30000)
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=10)
    arguments = parser.parse_args()
    server.require_program()
    with server.Server(arguments.module) as running, running.client() as client:
        load(client, arguments.size, arguments.dimension)
        print(f"{arguments.size} vectors of {arguments.dimension} components")
        info = running.info("commandstats").items()
        (calls,) = [value for name, value in info if name.lower() == "cmdstat_vadd"]
        figures = dict(pair.split("=") for pair in calls.split(","))
        print(f"VADD on the main thread: {figures['usec_per_call']} us each")
        show("PING, nobody else", pings(running.port, arguments.seconds / 2))

        stop = multiprocessing.Event()
        counted = multiprocessing.Value("q", 0)
        searchers = [
            multiprocessing.Process(
                target=search, args=(running.port, arguments.dimension, seed, stop, counted)
            )
            for seed in range(arguments.clients)
        ]
        for one in searchers:
            one.start()
        try:
            server.wait_for(lambda: counted.value >= arguments.clients, 60, "the first searches")
            before, start = counted.value, time.perf_counter()
            times = pings(running.port, arguments.seconds)
            rate = (counted.value - before) / (time.perf_counter() - start)
        finally:
            stop.set()
            for one in searchers:
                one.join(60)
        assert all(one.exitcode == 0 for one in searchers), [one.exitcode for one in searchers]
        show(f"PING beside {arguments.clients} clients searching with TRUTH ({rate:.0f}/s)", times)
    return 0


if __name__ == "__main__":
    sys.exit(main())
