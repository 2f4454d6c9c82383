"""A replica has what its primary has: after a full sync under load, after the link was cut, after updates.

    replica_test.py MODULE [--steps N]

Digests (DEBUG DIGEST-VALUE: every name, bit and attribute) must be equal. What is written meanwhile are
adds, updates of vectors and attributes, and removals, of which the updates are what Redis 8's own vector
sets do not send on. Full syncs with repl-diskless-load disabled and swapdb.
"""

import argparse
import signal
import sys
import threading
import time

import server
from workload import Model, is_sound

DIMENSION = 16


def digests(client):
    return client.call("DEBUG", "DIGEST-VALUE", "set", "other")


def check_equal(primary, replica):
    primary.wait_caught_up(replica)
    with primary.client() as ours, replica.client() as theirs:
        assert digests(ours) == digests(theirs)
        assert ours.call("VCARD", "set") == theirs.call("VCARD", "set")
        is_sound(theirs, "set")


def write_while(primary, model, work):
    """Runs `work` while the model's operations are written."""
    stop = threading.Event()
    failed = []

    def write():
        try:
            with primary.client() as client:
                while not stop.is_set():
                    client.call(*model.next())
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        return work()
    finally:
        stop.set()
        thread.join()
        assert not failed, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--steps", type=int, default=3000)
    options = parser.parse_args()
    server.require_program()
    with server.Server(options.module, config={"repl-diskless-sync": "yes"}) as primary:
        models = [Model("set", 0, DIMENSION), Model("other", 1, DIMENSION)]
        with primary.client() as client:
            for model in models:
                client.pipeline([model.next() for _ in range(options.steps // 2)])
            replicas = [
                write_while(primary, models[0], lambda: primary.replica(repl_diskless_load=load))
                for load in ("disabled", "swapdb")
            ]
            for replica in replicas:
                check_equal(primary, replica)

            # A replica that was read from meanwhile is synchronized again, beside its readers.
            client.pipeline([models[0].next() for _ in range(options.steps // 4)])
            with replicas[1].client() as reader:
                reader.call("REPLICAOF", "NO", "ONE")
                reader.call("VREM", "set", reader.call("VRANDMEMBER", "set"))
                reader.call("REPLICAOF", "127.0.0.1", primary.port)
                replicas[1].wait_linked()
            check_equal(primary, replicas[1])

            # The link is cut for two seconds: only what was missed is sent.
            before = primary.info("stats")["sync_partial_ok"]
            replicas[0].process.send_signal(signal.SIGSTOP)
            client.call("CLIENT", "KILL", "TYPE", "replica")
            write_while(primary, models[0], lambda: time.sleep(2))
            replicas[0].process.send_signal(signal.SIGCONT)
            server.wait_for(
                lambda: int(primary.info("stats")["sync_partial_ok"]) > int(before), 60, "a partial sync"
            )
            client.pipeline([models[0].next() for _ in range(options.steps)])
            for replica in replicas:
                replica.wait_linked()
                check_equal(primary, replica)
            for model in models:
                model.check(client)

            # The primary is lost: its replica has all that was acknowledged by it.
            with replicas[0].client() as other:
                client.call("WAIT", 2, 10000)
                primary.kill()
                other.call("REPLICAOF", "NO", "ONE")
                for model in models:
                    model.check(other)
                    other.call(*model.next())
                    model.check(other)
        for process in (primary, *replicas):
            assert not process.sanitizer_reports(), process.log()
    print(f"{sum(model.done for model in models)} steps")
    return 0


if __name__ == "__main__":
    sys.exit(main())
