"""Measures an index of P keys over a cluster of this machine; started by bench/redis/cluster.

usage: cluster.py MODULE [options, see bench/redis/cluster]
"""

import argparse
import math
import multiprocessing
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/redis"))
import cluster  # noqa: E402
import cluster_load  # noqa: E402
import server  # noqa: E402

COUNT = 10
QUERIES = 200
SlicedIndex = cluster_load.vicinal_slices.SlicedIndex


def workload(size, dimension):
    """Rows and queries in clusters of about 2000, with noise as wide as the centers are."""
    import numpy

    draw = numpy.random.default_rng(1)
    centers = draw.standard_normal((max(1, size // 2000), dimension))
    points = centers[draw.integers(len(centers), size=size + QUERIES)]
    points = (points + draw.standard_normal(points.shape)).astype("<f4")
    blobs = [row.tobytes() for row in points]
    return blobs[:size], blobs[size:]


def each(function, port, clients, *more):
    """Runs function(index, number, *more) in `clients` processes at once; returns what they return, and
    the seconds from when all of them were connected until all had answered."""
    context = multiprocessing.get_context("fork")
    pipes = []
    for number in range(clients):
        ours, theirs = context.Pipe()

        def body(theirs=theirs, number=number):
            import redis

            index = SlicedIndex(redis.RedisCluster(host="127.0.0.1", port=port), "bench")
            theirs.send("ready")
            theirs.recv()
            theirs.send(function(index, number, *more))

        process = context.Process(target=body)
        process.start()
        pipes.append((process, ours, theirs))
    for _, ours, theirs in pipes:
        theirs.close()
        assert ours.recv() == "ready"
    start = time.monotonic()
    for _, ours, _ in pipes:
        ours.send("go")
    answers = [ours.recv() for _, ours, _ in pipes]
    took = time.monotonic() - start
    for process, _, _ in pipes:
        process.join()
    return answers, took


def insert(index, number, rows, writers):
    for first in range(number * 100, len(rows), writers * 100):
        some = range(first, min(len(rows), first + 100))
        index.add_many([(f"e{i}", rows[i]) for i in some])


def ask(index, number, queries, ef, seconds):
    """Seconds of each search."""
    took, at, end = [], number, time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        index.search(queries[at % len(queries)], COUNT, ef)
        took.append(time.perf_counter() - start)
        at += 1
    return took


def cpu_seconds(running):
    """Of all servers together."""
    ticks = 0
    for node in running.running():
        with open(f"/proc/{node.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def of_slices(options, slices, rows, queries):
    """The figures of one P."""
    ef = max(COUNT, math.ceil(options.ef / math.sqrt(slices)))
    with cluster.Cluster(options.module, replicas=0) as running:
        port = running.nodes[0].port
        index = SlicedIndex.create(running.redis(), "bench", slices, options.dimension)
        _, inserting = each(insert, port, 2, rows, 2)
        assert index.count() == len(rows)
        found = 0
        for query in queries:
            exact = {name for name, _ in index.search(query, COUNT, options=("TRUTH",))}
            found += sum(name in exact for name, _ in index.search(query, COUNT, ef))
        before = cpu_seconds(running)
        answers, _ = each(ask, port, options.clients, queries, ef, options.seconds)
        took = sorted(sum(answers, []))
        used = cpu_seconds(running) - before
        memory = sum(running.primary_of(key).call("MEMORY", "USAGE", key) for key in index.keys)
        loads = []
        for node in running.nodes:
            node.call("SAVE")
            start = time.monotonic()
            node.call("DEBUG", "RELOAD", "NOSAVE", timeout=600)
            loads.append(time.monotonic() - start)
        assert index.count() == len(rows)
    return {
        "slices": slices,
        "ef": ef,
        "inserts": len(rows) / inserting,
        "recall": found / (COUNT * len(queries)),
        "qps": len(took) / options.seconds,
        "p50": took[len(took) // 2] * 1e3,
        "p99": took[len(took) * 99 // 100] * 1e3,
        "cpu": used / len(took) * 1e3,
        "memory": memory / len(rows),
        "load": max(loads),
    }


class Waits:
    """The longest search of a client that goes on from `with` to its end."""

    def __init__(self, running):
        self.index = SlicedIndex(running.redis(), "bench", patience=60)
        self.longest = 0.0
        self._ended = threading.Event()
        self._failed = []
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        query = self.index.blob([1.0] * self.index.dimension)
        try:
            while not self._ended.is_set():
                start = time.perf_counter()
                self.index.search(query, COUNT)
                self.longest = max(self.longest, time.perf_counter() - start)
        except Exception as error:  # told by __exit__
            self._failed.append(error)

    def __enter__(self):
        self._thread.start()
        time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
        if self._failed:
            raise self._failed[0]


def changes(options, rows):
    """Figures of killed primaries, of a moved slice and of a moved server; three primaries with replicas."""
    figures = {"failovers": [], "outages": []}
    with cluster.Cluster(options.module) as running:
        index = SlicedIndex.create(running.redis(), "bench", 6, options.dimension)
        index.add_many([(f"e{i}", row) for i, row in enumerate(rows[:3000])])
        for number in range(options.kills):
            victim = running.primary_of(index.keys[number % 6])
            with Waits(running) as waits:
                figures["failovers"].append(running.kill_and_wait(victim))
                running.wait_ok()
            figures["outages"].append(waits.longest)
            victim.restart()
            server.wait_for(lambda: not victim.is_primary(), 60, "its return as a replica")
            running.wait_ok()
        old = running.primary_of(index.keys[0])
        key = index.keys[0].replace("bench", "large")
        cluster_load.grow(old, key, options.move)
        for replica in running.replicas_of(old):
            old.wait_caught_up(replica, 600)
        figures["serialized"] = len(old.call("DUMP", key)) / 1e6
        target = running.primary_of(index.keys[-1])
        start = time.monotonic()
        with Waits(running) as waits:
            running.move(key, target)
        figures["slot"] = (time.monotonic() - start, waits.longest)
        running.wait_ok()
        start = time.monotonic()
        with Waits(running) as waits:
            new = running.add(replica_of=target)
            running.hand_over(new)
        figures["instance"] = (time.monotonic() - start, waits.longest)
    return figures


def processor_seconds():
    """Used on this machine by everybody, and by this process and all that it has started and seen end."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system = map(int, file.readline().split()[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK"), sum(os.times()[:4])


def machine(began, before):
    """What it is, and how much of it others had since `began`, when processor_seconds() said `before`."""
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
    everybody, ours = (now - then for now, then in zip(processor_seconds(), before))
    others = max(0.0, everybody - ours) / (os.cpu_count() * (time.monotonic() - began))
    text = f"{model}, {os.cpu_count()} processors, which servers and clients share; others had {others:.0%} of them meanwhile."
    if others > 0.03:
        text += " **That is much: times are too long, rates too low.**"
    return text


def checked(rows, one, held, options):
    """The formula on the table's own rows, in words."""
    parts = []
    for row in rows[:-1]:
        computed = row["slices"] * one * math.log(options.size / row["slices"]) / math.log(held)
        parts.append(f"{computed:.3f} ms for P = {row['slices']} (measured: {row['cpu']:.3f}, ef {row['ef']})")
    if not parts:
        return " no other P was measured to check it by."
    return f" on the table above the formula, which leaves ef out, gives {', '.join(parts)}."


def billion(rows, options):
    """What 10^9 vectors take, computed from the row of the largest P."""
    last = rows[-1]
    beside = last["memory"] - 5 * options.dimension
    held = options.size / last["slices"]
    one = last["cpu"] / last["slices"]  # milliseconds of processor of a search of one key
    yield (
        f"An element takes 5 d + {beside:.0f} bytes (measured: {last['memory']:.0f} at d = {options.dimension})."
        " A server has 64 GB, of which 60 % are used, and each primary has one replica. P is 1.5 times the"
        " primaries. A key is searched with ef = max(10, 64 / sqrt(P)); the cost of a search of one key"
        f" is measured ({one:.3f} ms of processor at d = {options.dimension}, {held:.0f} vectors and ef"
        f" {last['ef']}) and scaled by d and by the logarithm of the number of vectors:"
    )
    yield ""
    yield "    primaries = 1e9 (5 d + b) / (0.6 * 64e9)        P = 1.5 primaries"
    yield f"    processor ms a query = P * {one:.3f} * d / {options.dimension} * ln(1e9 / P) / ln({held:.0f})"
    yield ""
    yield "| d | bytes an element | memory | primaries + replicas | P, fan-out | vectors a key | processor ms a query |"
    yield "|---|---|---|---|---|---|---|"
    for dimension in (384, 1024):
        element = 5 * dimension + beside
        primaries = math.ceil(1e9 * element / (0.6 * 64e9))
        slices = math.ceil(1.5 * primaries)
        cost = slices * one * dimension / options.dimension * math.log(1e9 / slices) / math.log(held)
        yield (
            f"| {dimension} | {element:.0f} | {element:.0f} GB | {primaries} + {primaries} | {slices} on {primaries} "
            f"servers | {1e9 / slices / 1e6:.1f} million | {cost:.0f} |"
        )
    yield ""
    yield (
        "The last column is spread over all primaries. Larger servers make P smaller, and a query cheaper. It is"
        " an extrapolation, and no bound: what a server spends on the request itself does not grow with d and is"
        " scaled by d all the same, while"
        + checked(rows, one, held, options)
    )


def page(options, rows, change):
    yield "# One index over a cluster"
    yield ""
    yield f"Made by `{options.command}` at commit {options.commit}."
    yield f"Machine: {options.machine}"
    yield ""
    yield (
        f"{options.size} vectors of {options.dimension} components in clusters, int8 and float32 kept; three"
        f" primaries without replicas; {options.clients} Python processes search, each one query after the other,"
        f" top {COUNT}; two insert, 100 a round. P keys are searched with ef = max({COUNT}, {options.ef} / sqrt(P))."
    )
    yield ""
    yield (
        "| P | ef | recall@10 | searches/s | p50 ms | p99 ms | servers' processor ms a search | inserts/s | load s |"
        " bytes an element |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        yield (
            f"| {row['slices']} | {row['ef']} | {row['recall']:.4f} | {row['qps']:.0f} | {row['p50']:.2f} |"
            f" {row['p99']:.2f} | {row['cpu']:.3f} | {row['inserts']:.0f} | {row['load']:.2f} | {row['memory']:.0f} |"
        )
    yield ""
    yield "`load s` is the longest of the servers' times to load their RDB file."
    yield ""
    yield "## Failover and moving"
    yield ""
    timeout = cluster.NODE_TIMEOUT_MS / 1e3
    took, outages = change["failovers"], change["outages"]
    yield (
        f"Three primaries and three replicas, node timeout {timeout:g} s; a client searches 6 keys without pause."
        + (
            f" A replica was in charge {min(took):.1f} to {max(took):.1f} s after kill -9 of its primary"
            f" ({len(took)} kills); the longest search took {max(outages):.1f} s."
            if took
            else " No primary was killed."
        )
    )
    yield ""
    yield f"| Moved: a key of {change['serialized']:.0f} MB serialized | took s | longest search meanwhile s |"
    yield "|---|---|---|"
    yield f"| with its slot (MIGRATE) | {change['slot'][0]:.2f} | {change['slot'][1]:.2f} |"
    yield (
        f"| with its server (new replica, CLUSTER FAILOVER) | {change['instance'][0]:.2f} |"
        f" {change['instance'][1]:.2f} |"
    )
    yield ""
    yield "## A billion vectors, computed"
    yield ""
    yield from billion(rows, options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--size", type=int, default=20000)
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--slices", default="1,3,6,12")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--ef", type=int, default=64)
    parser.add_argument("--move", type=int, default=64)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--out")
    parser.add_argument("--command", default="bench/redis/cluster")
    parser.add_argument("--commit", default="unknown")
    options = parser.parse_args()
    server.require_program()
    began, before = time.monotonic(), processor_seconds()
    rows, queries = workload(options.size, options.dimension)
    figures = []
    for slices in map(int, options.slices.split(",")):
        figures.append(of_slices(options, slices, rows, queries))
        print(f"P = {slices}: {figures[-1]}", file=sys.stderr, flush=True)
    change = changes(options, rows)
    options.machine = machine(began, before)  # all servers have ended
    text = "\n".join(page(options, figures, change)) + "\n"
    print(text, end="")
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
