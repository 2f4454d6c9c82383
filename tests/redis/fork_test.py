"""Saves beside writers, searches and maintenance: each is of one moment, and none hangs.

    fork_test.py MODULE [--seconds N]

Writers add, replace and remove elements of one set, each step in a transaction with a marker that says how
many steps there were. What a save holds must be, for every writer, the set after as many steps as its
marker says, in a fresh server, sound. Meanwhile other clients search, repair and rebuild. At last the same of an
append-only file that is rewritten as commands.
"""

import argparse
import os
import shutil
import sys
import threading
import time

import server
from workload import Model, is_sound, vector

DIMENSION = 24
WRITERS = 3
SEARCHERS = 3


def write(running, model, stop, failed):
    try:
        with running.client() as client:
            while not stop.is_set():
                replies = client.pipeline(
                    [("MULTI",), model.next(), ("SET", f"marker:{model.prefix}", model.done), ("EXEC",)]
                )
                assert isinstance(replies[3], list), replies
    except Exception as error:  # shown by the main thread
        failed.append(error)


def search(running, number, stop, failed):
    try:
        with running.client() as client:
            while not stop.is_set():
                number += 1
                words = ("VSIM", "set", "FP32", vector(number, DIMENSION), "COUNT", 5)
                client.call(*words, *(("FILTER", ".n > 500") if number % 2 else ()))
    except Exception as error:
        failed.append(error)


def maintain(running, stop, failed):
    try:
        with running.client() as client:
            while not stop.is_set():
                client.call("VICINAL.REPAIR", "set")
                client.call("VICINAL.REBUILD", "set")
                time.sleep(0.05)
    except Exception as error:
        failed.append(error)


def check_saved(module, path):
    """Starts a server with the file, or the folder of an append-only file, at `path` and compares; returns its
    elements."""
    with server.Server(module) as fresh:
        fresh.stop()
        if os.path.isdir(path):
            shutil.copytree(path, os.path.join(fresh.folder, "appendonlydir"))
            fresh.config["appendonly"] = "yes"
        else:
            shutil.copy(path, os.path.join(fresh.folder, "dump.rdb"))
        fresh.restart()
        with fresh.client() as client:
            total = 0
            for writer in range(WRITERS):
                model = Model("set", writer, DIMENSION)
                model.advance(int(client.call("GET", f"marker:{model.prefix}")))
                model.check(client)
                total += len(model.elements)
            assert client.call("VCARD", "set") == total
            is_sound(client, "set")
            return total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    server.require_program()
    stop, failed, saved = threading.Event(), [], []
    # Searches in threads, also of what this machine would search at once.
    with server.Server(options.module, config={"vicinal.search-threads": 4}) as running:
        models = [Model("set", writer, DIMENSION) for writer in range(WRITERS)]
        with running.client() as client:
            for model in models:  # more than a set without a graph has
                client.pipeline([model.next() for _ in range(2000)])
                client.call("SET", f"marker:{model.prefix}", model.done)
            threads = [threading.Thread(target=write, args=(running, m, stop, failed)) for m in models]
            threads += [
                threading.Thread(target=search, args=(running, i << 20, stop, failed))
                for i in range(SEARCHERS)
            ]
            threads.append(threading.Thread(target=maintain, args=(running, stop, failed)))
            for thread in threads:
                thread.start()
            end = time.monotonic() + options.seconds
            longest = 0
            while time.monotonic() < end and not failed:
                began = time.monotonic()
                client.call("BGSAVE")
                server.wait_for(
                    lambda: b"rdb_bgsave_in_progress:0" in client.call("INFO", "persistence"),
                    60,
                    "the save to end",
                )
                longest = max(longest, time.monotonic() - began)
                assert b"rdb_last_bgsave_status:ok" in client.call("INFO", "persistence"), running.tail()
                path = os.path.join(running.folder, f"{len(saved)}.rdb")
                shutil.copy(os.path.join(running.folder, "dump.rdb"), path)
                saved.append(path)
                time.sleep(max(0, began + 1 - time.monotonic()))
            client.call("CONFIG", "SET", "aof-use-rdb-preamble", "no")
            client.call("BGREWRITEAOF")
            server.wait_for(
                lambda: b"aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0"
                in client.call("INFO", "persistence"),
                60,
                "the rewrite to end",
            )
            assert b"aof_last_bgrewrite_status:ok" in client.call("INFO", "persistence"), running.tail()
            saved.append(os.path.join(running.folder, "appendonlydir"))
            stop.set()
            for thread in threads:
                thread.join(60)
                assert not thread.is_alive()
            assert not failed, failed
            fork = running.info("stats")["latest_fork_usec"]
            elements = [check_saved(options.module, path) for path in saved]
            for model in models:
                model.check(client)
        assert not running.sanitizer_reports(), running.log()
    assert len(saved) > 2
    print(f"{len(saved)} saves of {min(elements)} to {max(elements)} elements, the longest "
          f"{longest:.2f} s, the last fork {int(fork) / 1000:.1f} ms, steps "
          f"{sum(model.done for model in models)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
