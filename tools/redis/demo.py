"""The demonstration that tools/redis/demo runs, which builds what it needs and says how it is used."""

import argparse
import contextlib
import math
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import redis

DIMENSION = 128
WORDS = "/usr/share/dict/words"
MISSPELT = ("embarass", "seperate", "accomodation", "definately", "ocurrence", "rythm")


def spelling(word):
    """A word's vector: its letters in ones, twos and threes, each hashed to a component. Words that are
    spelt alike are near each other."""
    vector = [0.0] * DIMENSION
    padded = f"^{word.lower()}$"
    for size in (1, 2, 3):
        for at in range(len(padded) - size + 1):
            code = zlib.crc32(padded[at : at + size].encode())
            vector[code % DIMENSION] += math.sqrt(size) * (1 if code & 0x10000 else -1)
    return vector


def blob(word):
    return struct.pack(f"<{DIMENSION}f", *spelling(word))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, name, folder, module, settings, servers, replica_of=None, more=()):
        servers.append(self)
        self.name = name
        self.port = free_port()
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        program = os.environ.get("VICINAL_REDIS_SERVER", "redis-server")
        self.command = [program, settings, "--bind", "127.0.0.1", "--port", str(self.port)]
        self.command += ["--dir", self.folder, "--logfile", os.path.join(self.folder, "log")]
        self.command += ["--save", "", "--loadmodule", module]
        self.command += map(str, more)
        if replica_of is not None:
            self.command += ["--replicaof", f"127.0.0.1 {replica_of.port}"]
        self.process = None
        self.start()

    def start(self):
        # In a session of its own: a child that saves ends with it.
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, start_new_session=True)
        self.client = redis.Redis(port=self.port)
        end = time.monotonic() + 60
        while True:
            try:
                if not self.client.info("persistence")["loading"]:
                    return
            except redis.exceptions.RedisError:
                if self.process.poll() is not None or time.monotonic() > end:
                    sys.exit(f"the {self.name} does not start: see {self.folder}/log")
            time.sleep(0.02)

    def kill(self):
        """kill -9."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def wait_until(what, condition):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"waited a minute in vain: {what}")
        time.sleep(0.02)


def say(text):
    print(text, flush=True)


def check(true, what):
    if not true:
        sys.exit(f"NOT SO: {what}")
    say(f"   ok: {what}")


def load_words(primary, words):
    """The first hundred through redis-cli, the rest through python3-redis."""
    lines = "".join(
        "VADD words VALUES {} {} {}\n".format(DIMENSION, " ".join(map(str, spelling(word))), word)
        for word in words[:100]
    )
    done = subprocess.run(
        ["redis-cli", "-p", str(primary.port)], input=lines, text=True, capture_output=True, check=True
    )
    check(done.stdout.split() == ["1"] * 100, "redis-cli added 100 words, one a line")
    singles, rest = words[100:5000], words[5000:]
    began = time.monotonic()
    for first in range(0, len(singles), 500):
        pipe = primary.client.pipeline(transaction=False)
        for word in singles[first : first + 500]:
            pipe.execute_command("VADD", "words", "FP32", blob(word), word, "SETATTR", attribute(word))
        assert all(pipe.execute())
    say(f"   python3-redis added {len(singles)} one by one in {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    for first in range(0, len(rest), 1000):
        some = rest[first : first + 1000]
        pipe = primary.client.pipeline(transaction=False)
        rows = b"".join(map(blob, some))
        pipe.execute_command("VICINAL.MADD", "words", "FP32", len(some), rows, *some)
        for word in some:
            pipe.execute_command("VSETATTR", "words", word, attribute(word))
        assert pipe.execute()[0] == len(some)
    if rest:
        say(f"   and {len(rest)} by the thousand in {time.monotonic() - began:.1f} s")


def attribute(word):
    return '{"letters":%d,"first":"%s"}' % (len(word), word[0].lower())


def search(server):
    for word in MISSPELT:
        answer = server.client.execute_command("VSIM", "words", "FP32", blob(word), "WITHSCORES", "COUNT", 4)
        found = ", ".join(
            f"{name.decode()} {float(score):.2f}" for name, score in zip(answer[::2], answer[1::2])
        )
        say(f"   {word:14} {found}")
    answer = server.client.execute_command(
        "VSIM", "words", "FP32", blob("rythm"), "COUNT", 4, "FILTER", '.letters <= 5 and .first == "r"'
    )
    say(f"   rythm, at most 5 letters, first one r: {', '.join(name.decode() for name in answer)}")


def write_until_killed(primary, words, after):
    """Adds invented words one by one, each acknowledged by the replica too, until the server is killed;
    returns those that were acknowledged."""
    draw = random.Random(1)
    acknowledged = {}
    while True:
        word = draw.choice(words) + draw.choice(words)
        try:
            primary.client.execute_command("VADD", "words", "FP32", blob(word), word)
            if primary.client.wait(1, 5000) == 1:
                acknowledged[word] = blob(word)
        except redis.exceptions.RedisError:
            return acknowledged
        if len(acknowledged) == after:
            primary.kill()


def holds(server, words):
    pipe = server.client.pipeline(transaction=False)
    for word in words:
        pipe.execute_command("VEMB", "words", word)
    replies = pipe.execute()
    return all(
        reply is not None and struct.pack(f"<{DIMENSION}f", *map(float, reply)) == vector
        for reply, vector in zip(replies, words.values())
    )


def demonstrate(folder, module, settings, count, servers):
    with open(WORDS, encoding="utf-8") as file:
        words = [line.strip() for line in file if line.strip().isascii() and line.strip().isalpha()]
    words = random.Random(0).sample(words, min(count, len(words)))
    for word in ("embarrass", "separate", "accommodation", "definitely", "occurrence", "rhythm"):
        if word not in words:
            words.append(word)

    say("1. A server and its replica")
    primary = Server("primary", folder, module, settings, servers)
    replica = Server("replica", folder, module, settings, servers, replica_of=primary)
    wait_until("the replica follows", lambda: replica.client.info()["master_link_status"] == "up")
    say(f"   127.0.0.1:{primary.port} and 127.0.0.1:{replica.port}")

    say(f"2. {len(words)} words")
    load_words(primary, words)
    check(primary.client.execute_command("VCARD", "words") == len(words), f"VCARD says {len(words)}")

    say("3. Misspelt words, on the replica")
    primary.client.wait(1, 60000)
    search(replica)

    say("4. The server is killed (kill -9) while it is written to")
    acknowledged = write_until_killed(primary, words, min(500, len(words) // 20))
    say(f"   {len(acknowledged)} words more were acknowledged by both")

    say("5. The replica takes over")
    replica.client.execute_command("REPLICAOF", "NO", "ONE")
    check(holds(replica, acknowledged), "it holds every acknowledged word, bit for bit")
    added = replica.client.execute_command("VADD", "words", "FP32", blob("after all"), "after all")
    check(added == 1, "it takes writes")

    say("6. The killed server starts from its append-only file")
    began = time.monotonic()
    primary.start()
    say(f"   in {time.monotonic() - began:.1f} s")
    check(holds(primary, acknowledged), "it holds every word that it had acknowledged")

    say("7. It follows the new primary")
    primary.client.execute_command("REPLICAOF", "127.0.0.1", replica.port)
    wait_until("it follows", lambda: primary.client.info()["master_link_status"] == "up")
    replica.client.wait(1, 60000)
    cards = [server.client.execute_command("VCARD", "words") for server in (primary, replica)]
    check(cards[0] == cards[1], f"both have {cards[0]} words")
    report = primary.client.execute_command("VICINAL.VALIDATE", "words")
    check(report[1] == 0, "VICINAL.VALIDATE finds no problem")
    search(primary)
    say("Nothing that was acknowledged is lost.")


@contextlib.contextmanager
def folder_of_servers(prefix, servers, keep):
    """A folder of its own; at its end `servers`, those there are by then, are killed, and it is removed
    unless it is to be kept."""
    folder = tempfile.mkdtemp(prefix=prefix)
    try:
        yield folder
    finally:
        for server in servers:
            server.kill()
        if keep:
            say(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("settings")
    parser.add_argument("--words", type=int, default=20000)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    servers = []
    with folder_of_servers("vicinal-redis-demo-", servers, options.keep) as folder:
        demonstrate(folder, options.module, options.settings, options.words, servers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
