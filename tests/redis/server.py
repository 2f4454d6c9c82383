"""Servers for the tests of the module: redis-server or valkey-server on a free loopback port.

    with Server(module) as server, server.client() as client:
        client.call("VADD", "key", "VALUES", 2, 1, 0, "a")

Each server has a folder of its own, which goes when the test ends. It never touches the system's
service, and the kernel ends it with the test, whatever ends that.

Environment: VICINAL_REDIS_SERVER  the program; otherwise redis-server of PATH.
             VICINAL_REDIS_PRELOAD libraries for LD_PRELOAD of the server, for sanitizers.
"""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from resp import Client, ErrorReply

START_SECONDS = 60
_PR_SET_PDEATHSIG = 1
# The server's child of a fork goes on although threads were running. Leaks are told after stop() only.
# Thread-local words of a library loaded later: the sanitizer guesses their block's head as glibc 2.19
# wrote it, and where the address looks like it, once in some hundred threads, it reads nonsense
# ("Tracer caught signal 11"). Not intercepted, they are found by way of the thread's own words.
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_odr_violation=0:allocator_may_return_null=1:intercept_tls_get_addr=0",
    "TSAN_OPTIONS": "die_after_fork=0:second_deadlock_stack=1",
}


def program():
    """The path of the server's program, or None. It is also redis-check-rdb, which Debian has in
    redis-tools: the package redis-server adds a name for it and a service, which no test needs."""
    named = os.environ.get("VICINAL_REDIS_SERVER")
    if named:
        return shutil.which(named)
    return shutil.which("redis-server") or shutil.which("redis-check-rdb")


def skip(reason):
    """Ends the test as skipped."""
    print(f"skipped: {reason}")
    sys.exit(77)


def require_program():
    """Ends the test as skipped when there is no server."""
    if program() is None:
        skip("there is no redis-server (Debian: redis-tools has the program)")


def free_port():
    """A port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, seconds, what):
    """Calls condition until it is true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds} s still waiting for {what}")
        time.sleep(0.02)


class StartError(RuntimeError):
    """The server ended, or did not answer; the message has the end of its log."""


def _die_with_parent(parent):
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


class Server:
    """One server process.

    module     path of the module, or None to run without; `arguments` are its words
    config     settings by name, over those of `settings`; a list gives several lines of one name
    start_seconds  until start() gives up: loading takes its time
    The process is started by start() or `with`. stop() is orderly, kill() is kill -9; the folder
    stays until close(), so that restart() finds what was on disk. The kernel's end of the process
    hangs on the thread that called start(): start servers from threads that live as long.
    """

    def __init__(
        self, module=None, arguments=(), config=None, environment=None, start_seconds=START_SECONDS
    ):
        self.start_seconds = start_seconds
        self.module = None if module is None else os.path.abspath(module)
        self.arguments = arguments
        self.config = dict(config or {})
        self.environment = dict(environment or {})
        self.folder = tempfile.mkdtemp(prefix="vicinal-redis-")
        self.port = None
        self.process = None
        self._replicas = []

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        reports = self.sanitizer_reports()
        for replica in self._replicas:
            reports += replica.sanitizer_reports()
        text = self.log() if reports else ""
        self.close()
        if reports and kind is None:
            raise AssertionError(f"a sanitizer has something to say:\n{text}")

    def settings(self):
        """Name and value of every line of the configuration."""
        lines = {
            "bind": "127.0.0.1",
            "port": self.port,
            "dir": self.folder,
            "logfile": self.log_path(),
            "daemonize": "no",
            "save": '""',
            "appendonly": "no",
            "enable-debug-command": "yes",
            "repl-diskless-sync-delay": 0,
        }
        lines.update(self.config)
        if self.module is not None:
            lines["loadmodule"] = " ".join(map(str, (self.module, *self.arguments)))
        return lines

    def start(self):
        """Starts the process and waits until it answers and has loaded its data."""
        for attempt in range(5):
            # A restart keeps its port, so that replicas and clients find it again.
            if self.port is None or attempt > 0:
                self.port = free_port()
            try:
                return self._start()
            except StartError as error:
                if "Address already in use" not in str(error) or attempt == 4:
                    raise
        return self

    def _start(self):
        path = os.path.join(self.folder, "server.conf")
        with open(path, "w", encoding="utf-8") as file:
            for name, value in self.settings().items():
                for line in value if isinstance(value, list) else [value]:
                    file.write(f"{name} {line}\n")
        environment = dict(os.environ, **self.environment)
        if os.environ.get("VICINAL_REDIS_PRELOAD"):
            environment["LD_PRELOAD"] = os.environ["VICINAL_REDIS_PRELOAD"]
            environment.update(SANITIZER_OPTIONS)
        parent = os.getpid()
        with open(self.output_path(), "ab") as output:
            self.process = subprocess.Popen(
                ["valkey-server" if "valkey" in program() else "redis-server", path],
                executable=program(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env=environment,
                preexec_fn=lambda: _die_with_parent(parent),
                start_new_session=True,
            )
        end = time.monotonic() + self.start_seconds
        while True:
            if self.process.poll() is not None:
                raise StartError(f"the server ended with {self.process.returncode}\n{self.tail()}")
            try:
                with self.client() as client:
                    client.call("PING")
                return self
            except (OSError, ErrorReply):
                if time.monotonic() > end:
                    self.kill()
                    raise StartError(f"no answer in {self.start_seconds} s\n{self.tail()}") from None
                time.sleep(0.02)

    def client(self, protocol=2, **options):
        """A new connection; `options` are those of resp.Client."""
        return Client(self.port, protocol, **options)

    def stop(self, save=False):
        """Ends the server by SHUTDOWN and returns its exit code."""
        if self.running():
            try:
                with self.client() as client:
                    client.send("SHUTDOWN", "SAVE" if save else "NOSAVE")
                    client.receive()
            except OSError:
                pass
            self.process.wait(START_SECONDS)
        return self.process.returncode

    def kill(self):
        """kill -9: nothing is flushed."""
        if self.running():
            self.process.kill()
        if self.process is not None:
            self.process.wait()

    def restart(self):
        """Starts again with the same folder and port after stop() or kill()."""
        assert not self.running()
        return self.start()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def replica(self, wait=True, **config):
        """A started replica of this server with the same module and settings; `config`'s underscores
        stand for hyphens. It ends with this server's close()."""
        settings = dict(self.config)
        settings.update({name.replace("_", "-"): value for name, value in config.items()})
        settings["replicaof"] = f"127.0.0.1 {self.port}"
        replica = Server(
            self.module, self.arguments, settings, self.environment, self.start_seconds
        )
        self._replicas.append(replica)
        replica.start()
        if wait:
            replica.wait_linked()
        return replica

    def wait_linked(self, seconds=START_SECONDS):
        """Waits until this replica has its primary's data and follows it."""
        wait_for(
            lambda: self.info("replication").get("master_link_status") == "up",
            seconds,
            "the replica's link",
        )

    def wait_caught_up(self, replica, seconds=START_SECONDS):
        """Waits until `replica` has applied all that this server has written until now."""
        target = int(self.info("replication")["master_repl_offset"])
        wait_for(
            lambda: int(replica.info("replication")["slave_repl_offset"]) >= target,
            seconds,
            f"the replica at offset {target}",
        )

    def info(self, section="everything"):
        """INFO as a dictionary of strings."""
        with self.client() as client:
            text = client.call("INFO", section).decode()
        pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
        return {name: value for name, value in pairs}

    def log_path(self):
        return os.path.join(self.folder, "server.log")

    def output_path(self):
        """Where the process's standard error goes: sanitizers write there."""
        return os.path.join(self.folder, "output.log")

    def log(self):
        """All that the server has written, log and standard error."""
        text = ""
        for path in (self.log_path(), self.output_path()):
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    text += file.read()
        return text

    def tail(self, lines=40):
        return "\n".join(self.log().splitlines()[-lines:])

    def sanitizer_reports(self):
        """The lines of the log that begin a report of a sanitizer."""
        marks = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer")
        marks += ("runtime error:", "Sanitizer has encountered", "Sanitizer: CHECK failed")
        return [line for line in self.log().splitlines() if any(mark in line for mark in marks)]

    def close(self):
        """Ends the process and its replicas at once and removes the folders."""
        for replica in self._replicas:
            replica.close()
        self.kill()
        if self.process is not None:
            # A child that saves outlives the server, and would go on to write into the folder.
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)


def cluster_of_one(module=None, arguments=(), config=None):
    """A server in cluster mode that has all slots, for `with`: clients' cluster classes take it."""
    return _ClusterOfOne(module, arguments, config)


class _ClusterOfOne(Server):
    def settings(self):
        lines = super().settings()
        lines["cluster-enabled"] = "yes"
        lines["cluster-config-file"] = "nodes.conf"
        lines.setdefault("cluster-port", free_port())
        return lines

    def start(self):
        super().start()
        with self.client() as client:
            if b"cluster_slots_assigned:16384" not in client.call("CLUSTER", "INFO"):
                client.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            wait_for(
                lambda: b"cluster_state:ok" in client.call("CLUSTER", "INFO"),
                START_SECONDS,
                "cluster_state:ok",
            )
        return self
