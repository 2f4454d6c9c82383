"""Searches that wait in threads, and what may happen to their clients and their sets meanwhile.

    blocked_test.py MODULE [--seconds N]

In MULTI and Lua a search answers at once, elsewhere that of a small set without a filter. While clients
search a large set with TRUTH and filters, the set is deleted, unlinked, expired, renamed, copied, overwritten and
flushed, its elements and attributes are replaced, clients are killed and go away. Every answer is that of a
set that there was.
"""

import argparse
import random
import struct
import sys
import threading
import time

import server
from resp import ErrorReply
from workload import vector

DIMENSION = 32
SIZE = 3000


def fill(client, key, size=SIZE):
    for first in range(0, size, 500):
        names = [f"e{i}" for i in range(first, min(size, first + 500))]
        rows = b"".join(vector(name, DIMENSION) for name in names)
        client.call("VICINAL.MADD", key, "FP32", len(names), rows, *names)
    client.pipeline([("VSETATTR", key, f"e{i}", '{"n":%d}' % i) for i in range(0, size, 2)])


def search_words(key, number):
    words = ("VSIM", key, "FP32", vector(number, DIMENSION), "COUNT", 5, "WITHSCORES", "WITHATTRIBS")
    return words + ((), ("TRUTH",), ("FILTER", ".n >= 0"), ("FILTER", ".n < 20", "TRUTH"))[number % 4]


def check_answer(reply):
    assert isinstance(reply, list) and len(reply) % 3 == 0, reply
    assert len(set(reply[::3])) == len(reply) // 3, reply
    scores = [float(score) for score in reply[1::3]]
    assert scores == sorted(scores, reverse=True), reply


def counter(client, name):
    """A number of INFO's section of the module."""
    text = client.call("INFO", "vicinal").decode()
    return int(text.split(f"vicinal_{name}:")[1].split()[0])


def tasks_done(client):
    """How many there were, once all have ended: an answer comes before its task is counted."""
    for name in ("tasks_waiting", "tasks_running"):
        server.wait_for(lambda: counter(client, name) == 0, 60, "the tasks to end")
    return counter(client, "tasks_done")


def where_small_sets_are_searched(client):
    """On the main thread without a filter; with one, which may take any time, in a thread."""
    fill(client, "small", 50)
    plain = ("VSIM", "small", "ELE", "e1")
    done = tasks_done(client)
    for words in (plain, plain + ("TRUTH",), plain + ("FILTER", ".n < 20", "NOTHREAD")):
        client.call(*words)
    assert counter(client, "tasks_done") == done
    assert len(client.call(*plain, "FILTER", ".n < 20")) == 10
    server.wait_for(lambda: counter(client, "tasks_done") == done + 1, 60, "the filtered search")
    client.call("DEL", "small")


def at_once(client):
    """MULTI and Lua: no client may wait there."""
    words = search_words("set", 1)
    expected = client.call(*words)
    client.call("MULTI")
    client.call(*words)
    client.call("VICINAL.RECALL", "set", "SAMPLES", 20)
    client.call("VICINAL.REBUILD", "set")
    replies = client.call("EXEC")
    check_answer(replies[0])
    assert float(replies[1]) > 0.8 and replies[2] == "OK", replies
    script = "return redis.call(unpack(ARGV))"
    check_answer(client.call("EVAL", script, 1, "set", *words))
    assert client.call("EVAL", script, 1, "set", "VICINAL.REPAIR", "set")[0] == "examined"
    assert client.call(*words)[::3] == expected[::3]
    assert client.call(*words, "NOTHREAD")[::3] == expected[::3]


def beside_a_rebuild(running, client):
    """In MULTI and Lua, where nobody may wait, a second writer of a set that is rebuilt is told so."""
    client.call("CONFIG", "SET", "vicinal.build-threads", 1)
    fill(client, "rebuilt", 8000)
    with running.client() as other:
        done = tasks_done(client)
        other.send("VICINAL.REBUILD", "rebuilt")
        server.wait_for(lambda: counter(client, "tasks_running") == 1, 60, "the rebuild")
        for name in ("VICINAL.REPAIR", "VICINAL.REBUILD"):
            client.call("MULTI")
            client.call(name, "rebuilt")
            (reply,) = client.call("EXEC")
            assert reply == ErrorReply("ERR the vector set is being repaired or rebuilt"), reply
        script = "return redis.pcall('VICINAL.REPAIR', KEYS[1])"
        assert isinstance(client.pipeline([("EVAL", script, 1, "rebuilt")])[0], ErrorReply)
        assert counter(client, "tasks_done") == done  # nothing waited for it
        assert other.receive() == "OK"
    assert client.call("EVAL", script, 1, "rebuilt")[0] == "examined"
    client.call("DEL", "rebuilt")
    client.call("CONFIG", "SET", "vicinal.build-threads", 0)


def search(running, number, stop, failed, counts):
    """Searches until told to stop; now and then goes away with a question unanswered."""
    try:
        while not stop.is_set():
            with running.client() as client:
                for _ in range(20):
                    number += 1
                    client.send(*search_words("set", number))
                    if number % 20 == 7:
                        break
                    reply = client.receive()
                    if isinstance(reply, ErrorReply):  # the key is of another type for a while
                        assert str(reply).startswith("WRONGTYPE"), reply
                        continue
                    check_answer(reply)
                    counts["empty" if not reply else "found"] += 1
    except (ConnectionError, OSError) as error:
        if not stop.is_set() and number % 20 == 0:
            failed.append(error)
    except Exception as error:
        failed.append(error)


# What happens to the set while it is searched. Each leaves it there, whole, for the next.
def upset(client, draw):
    kind = draw.randrange(9)
    if kind == 0:
        client.call("DEL", "set")
    elif kind == 1:
        client.call("UNLINK", "set")
    elif kind == 2:
        client.call("PEXPIRE", "set", 1)
        time.sleep(0.01)
    elif kind == 3:
        client.call("RENAME", "set", "moved")
    elif kind == 4:
        client.call("FLUSHALL", draw.choice(("SYNC", "ASYNC")))
        fill(client, "kept")
    elif kind == 5:
        client.call("SET", "set", "a string")
    elif kind == 6:
        for i in draw.sample(range(SIZE), 200):
            client.call("VREM", "set", f"e{i}")
    elif kind == 7:
        for i in draw.sample(range(SIZE), 200):
            client.call("VSETATTR", "set", f"e{i}", draw.choice(("", '{"n":7}')))
    else:
        for i in draw.sample(range(SIZE), 100):
            client.call("VADD", "set", "FP32", vector(draw.random(), DIMENSION), f"e{i}")
    client.call("COPY", "kept", "set", "REPLACE")


def kill_searchers(client):
    """Kills every other client, asking or waiting."""
    own = client.call("CLIENT", "ID")
    for line in client.call("CLIENT", "LIST").decode().splitlines():
        fields = dict(field.split("=", 1) for field in line.split())
        if int(fields["id"]) != own and fields["cmd"] in ("vsim", "VSIM"):
            try:
                client.call("CLIENT", "KILL", "ID", fields["id"])
            except ErrorReply:
                pass  # it went by itself


def work_of_who_has_gone(running, client):
    """Neither begun nor gone on with; STATS does not wait for it."""
    fill(client, "other", 4500)
    client.call("VADD", "one", "VALUES", 2, 1, 0, "a")
    recall = ("VICINAL.RECALL", "long", "SAMPLES", 40000, "COUNT", 10000)
    asked = [running.client() for _ in range(3)]
    for one, words in zip(asked, (recall, ("VICINAL.REBUILD", "long"), recall)):
        one.send(*words)
        server.wait_for(lambda: counter(client, "tasks_running") == 1, 60, "the recall")
    assert client.call("VICINAL.STATS", "one")[1] == 1
    assert client.call("VICINAL.STATS", "other")[1] == 4500
    server.wait_for(lambda: counter(client, "tasks_running") == 1, 60, "STATS to end")
    assert counter(client, "tasks_waiting") == 2
    asked.append(running.client())
    asked[-1].send(*long_search())
    server.wait_for(lambda: counter(client, "tasks_running") == 2, 60, "the search")
    for one in asked:
        one.close()
    tasks_done(client)
    # The same of one task at a time, in the middle of it.
    for words in (("VICINAL.REBUILD", "long"), ("VICINAL.VALIDATE", "long"), ("VICINAL.REPAIR", "long")):
        with running.client() as one:
            one.send(*words)
    tasks_done(client)
    assert client.call("VICINAL.VALIDATE", "long")[1] == 0


def long_search():
    """It would take minutes: a list of half a million, for every element."""
    return ("VSIM", "long", "ELE", "e1", "FILTER", ".a in [%s]" % ",".join(["1"] * 500000))


def unlink_beside_a_search(running, client):
    """The set that the search held to the end is not freed on the main thread."""
    fill(client, "unlinked", 2000)
    client.pipeline([("VSETATTR", "unlinked", f"e{i}", '{"a":0}') for i in range(2000)])
    sets, done = counter(client, "sets"), tasks_done(client)
    with running.client() as searcher:
        searcher.send("VSIM", "unlinked", *long_search()[2:])
        server.wait_for(lambda: counter(client, "tasks_running") == 1, 60, "the search")
        client.call("UNLINK", "unlinked")
        assert counter(client, "sets") == sets
    server.wait_for(lambda: counter(client, "sets") == sets - 1, 60, "the search to end")
    server.wait_for(lambda: counter(client, "tasks_done") == done + 2, 60, "the set to be freed")


def exit_beside_long_work(running, client):
    """The server does not wait for a long search and the recall of the 10,000 nearest."""
    searcher, other = running.client(), running.client()
    searcher.send(*long_search())
    other.send("VICINAL.RECALL", "long", "SAMPLES", 40000, "COUNT", 10000)
    server.wait_for(lambda: counter(client, "tasks_running") == 2, 60, "the search and the recall")
    assert running.stop() == 0
    searcher.close()
    other.close()


def long_work(running, client, size=40000):
    """On a set of its own."""
    for first in range(0, size, 2000):
        names = [f"e{i}" for i in range(first, first + 2000)]
        rows = b"".join(struct.pack("<3f", i + 1, 1, 2) for i in range(first, first + 2000))
        client.call("VICINAL.MADD", "long", "FP32", len(names), rows, *names)
        client.pipeline([("VSETATTR", "long", name, '{"a":0}') for name in names])
    work_of_who_has_gone(running, client)
    unlink_beside_a_search(running, client)
    exit_beside_long_work(running, client)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    server.require_program()
    stop, failed = threading.Event(), []
    counts = {"empty": 0, "found": 0}
    with server.Server(options.module, config={"vicinal.search-threads": 3}) as running:
        with running.client() as client:
            fill(client, "set")
            client.call("COPY", "set", "kept")
            at_once(client)
            where_small_sets_are_searched(client)
            beside_a_rebuild(running, client)
            threads = [
                threading.Thread(target=search, args=(running, i * 1000003 * 20, stop, failed, counts))
                for i in range(4)
            ]
            for thread in threads:
                thread.start()
            draw = random.Random(3)
            end = time.monotonic() + options.seconds
            rounds = 0
            while time.monotonic() < end and not failed:
                upset(client, draw)
                rounds += 1
                if rounds % 10 == 0:
                    client.call("CONFIG", "SET", "vicinal.search-threads", draw.choice((0, 1, 3, 6)))
            stop.set()
            for thread in threads:
                thread.join(60)
                assert not thread.is_alive()
            assert not failed, failed

            # Clients that wait are killed; the server goes on, and nothing of theirs stays.
            client.call("CONFIG", "SET", "vicinal.search-threads", 1)
            waiting = [running.client() for _ in range(8)]
            for number, other in enumerate(waiting):
                for i in range(20):
                    other.send(*search_words("kept", number * 20 + i))
            kill_searchers(client)
            for other in waiting:
                other.close()
            server.wait_for(
                lambda: b"tasks_running:0\r\nvicinal_tasks_waiting:0" in client.call("INFO", "vicinal"),
                60,
                "the searches to end",
            )
            client.call("FLUSHALL")
            server.wait_for(
                lambda: b"vicinal_sets:0\r\n" in client.call("INFO", "vicinal"), 60, "the sets to go"
            )
            long_work(running, client)
        assert not running.sanitizer_reports(), running.log()
    assert counts["found"] > 0
    print(f"{rounds} upsets, {counts['found']} answers, {counts['empty']} empty ones")
    return 0


if __name__ == "__main__":
    sys.exit(main())
