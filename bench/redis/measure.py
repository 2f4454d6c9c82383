"""Measures the module in a server beside the library alone; started by bench/redis/run.

usage: measure.py PROGRAM MODULE [options, see run]
PROGRAM is vicinal-bench-redis (main.cc), which does the work and the timing of both sides.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/redis"))
import server  # noqa: E402

START_SECONDS = 3600


def resident(pid):
    """Bytes of memory of a process that are in memory."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) * 1024


class Pings(threading.Thread):
    """Sends PING every millisecond until stop(); keeps the longest wait."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.longest = 0.0
        self._client = server.Client(port, timeout=START_SECONDS)
        self._ended = threading.Event()

    def run(self):
        while not self._ended.wait(0.001):
            start = time.perf_counter()
            self._client.call("PING")
            self.longest = max(self.longest, time.perf_counter() - start)

    def stop(self):
        self._ended.set()
        self.join()
        self._client.close()
        return self.longest * 1e3


class Bench:
    def __init__(self, program, module, options):
        self.program = program
        self.module = module
        self.options = options

    def words(self, mode, **more):
        given = {
            "size": self.options.size,
            "dimension": self.options.dimension,
            "clients": self.options.clients,
            "seconds": self.options.seconds,
            "ef": self.options.ef,
            **more,
        }
        return [self.program, mode] + [f"--{name}={value}" for name, value in given.items()]

    def run(self, mode, **more):
        done = subprocess.run(self.words(mode, **more), stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    def bgsave(self, running, client):
        """Figures of a BGSAVE beside a writer, and of the writer and PING without one."""
        writer = lambda seconds, first: subprocess.Popen(
            self.words("write", port=running.port, seconds=seconds, first=first),
            stdout=subprocess.PIPE,
        )
        pings, one = Pings(running.port), writer(2, 0)
        pings.start()
        quiet = json.loads(one.communicate()[0])
        quiet_ping = pings.stop()

        pings, one = Pings(running.port), writer(START_SECONDS, quiet["count"])
        pings.start()
        time.sleep(0.2)
        start = time.monotonic()
        client.call("BGSAVE")
        most = 0
        while True:
            info = running.info("persistence")
            most = max(most, int(info["current_cow_peak"]))
            if info["rdb_bgsave_in_progress"] == "0":
                break
            time.sleep(0.02)
        took = time.monotonic() - start
        one.terminate()
        one.wait()
        assert info["rdb_last_bgsave_status"] == "ok", running.tail()
        return {
            "seconds": took,
            "fork_ms": int(running.info("stats")["latest_fork_usec"]) / 1e3,
            "cow": max(most, int(info["rdb_last_cow_size"])),
            "longest_ping_ms": pings.stop(),
            "quiet_ping_ms": quiet_ping,
            "writes": quiet["writes"],
        }

    def server(self):
        figures = {}
        config = {"rdbcompression": "no"}
        with server.Server(self.module, config=config, start_seconds=START_SECONDS) as running:
            with running.client(timeout=START_SECONDS) as client:
                before = resident(running.process.pid)
                figures.update(self.run("fill", port=running.port, writers=self.options.writers))
                figures["resident"] = resident(running.process.pid) - before
                figures["usage"] = client.call("MEMORY", "USAGE", "bench")
                figures.update(self.run("search", port=running.port))
                figures["bgsave"] = self.bgsave(running, client)
                assert client.call("SAVE") == "OK"
                figures["file"] = os.path.getsize(os.path.join(running.folder, "dump.rdb"))
            running.kill()
            start = time.monotonic()
            running.restart()
            figures["load_seconds"] = time.monotonic() - start
            with running.client() as client:
                assert client.call("VCARD", "bench") == self.options.size
        return figures


def show(options, library, served):
    size = options.size
    print(
        f"{size} vectors of {options.dimension} components; searches: 10 hits, ef {options.ef}, "
        f"{options.clients} clients; inserts by one thread, through {options.writers} connections"
    )
    rows = [
        ("inserts/s", library["inserts"], served["inserts"], "{:.0f}"),
        ("searches/s", library["qps"], served["qps"], "{:.0f}"),
        ("p50 ms", library["p50_ms"], served["p50_ms"], "{:.3f}"),
        ("p99 ms", library["p99_ms"], served["p99_ms"], "{:.3f}"),
        ("recall@10", library["recall"], served["recall"], "{:.4f}"),
        ("bytes an element", library["bytes"], served["usage"] / size, "{:.0f}"),
    ]
    print(f"{'':<18}{'library':>12}{'server':>12}")
    for name, alone, through, form in rows:
        print(f"{name:<18}{form.format(alone):>12}{form.format(through):>12}")
    save = served["bgsave"]
    print(f"batch inserts of the library, all CPUs: {library['batch_inserts']}/s")
    print(f"growth of the server's resident memory: {served['resident'] / size:.0f} bytes an element")
    print(
        f"BGSAVE beside a writer: fork {save['fork_ms']:.1f} ms, longest PING "
        f"{save['longest_ping_ms']:.1f} ms ({save['quiet_ping_ms']:.1f} ms before), "
        f"{save['seconds']:.2f} s, copied on write {save['cow'] / 1e6:.1f} MB "
        f"(updates: {save['writes']}/s)"
    )
    print(
        f"file: {served['file'] / 1e6:.1f} MB, {served['file'] / size:.0f} bytes an element; start "
        f"with it: {served['load_seconds']:.2f} s"
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("module")
    parser.add_argument("--size", type=int, default=20000)
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--ef", type=int, default=64)
    parser.add_argument("--json", help="write all figures to this file, too")
    options = parser.parse_args()
    server.require_program()
    bench = Bench(options.program, options.module, options)
    library = bench.run("library")
    served = bench.server()
    show(options, library, served)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"options": vars(options), "library": library, "server": served}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
