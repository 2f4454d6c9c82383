"""Primaries of a cluster are killed (kill -9) under load, one after the other: a replica takes over, every
write that WAIT confirmed is there, bit for bit and once; the killed one comes back as a replica with the
same data. Errors come only between the kill and the end of the failover.

    failover_test.py MODULE [--kills N] [--node-timeout MS]
"""

import argparse
import sys
import time

import cluster
import cluster_load
import server

DIMENSION = 16
PATIENCE = 2.0  # seconds; less than the node timeout


def kill_one(running, load, number):
    """Returns the seconds until a replica had taken over, and until everybody was well again."""
    victim = [node for node in running.nodes if node.is_primary()][number % 3]
    killed = time.monotonic()
    failover = running.kill_and_wait(victim)
    # Its slots are served as soon as the others have heard of it; the client asks any of them.
    running.wait_ok()
    over = time.monotonic()
    time.sleep(0.5)
    victim.restart()
    server.wait_for(lambda: not victim.is_primary(), 60, "the killed one's return as a replica")
    running.wait_ok()
    load.alive()
    # What is begun after the outage succeeds, though until the replica is back nothing is confirmed there.
    late = [text for begin, end, text in load.errors if begin > over or end < killed]
    assert not late, late[:3]
    outage = max((end for _, end, _ in load.errors), default=killed) - killed
    load.errors.clear()
    return failover, outage, time.monotonic() - killed


def confirms(load, seconds=30):
    """Waits until writes are confirmed again."""
    writes = load.writes
    server.wait_for(lambda: load.writes > writes + 20, seconds, "confirmed writes")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument("--node-timeout", type=int, default=cluster.NODE_TIMEOUT_MS)
    options = parser.parse_args()
    server.require_program()
    ledger = cluster_load.Ledger(DIMENSION)
    config = {"cluster-node-timeout": options.node_timeout}
    with cluster.Cluster(options.module, config=config) as running:
        client = running.redis()
        make = cluster_load.vicinal_slices.SlicedIndex
        index = make.create(client, "index", 6, DIMENSION, patience=60)
        stable = cluster_load.add_stable(index, 600, DIMENSION, ledger)
        assert client.wait(1, 10000, target_nodes="primaries")
        figures = []
        # Little patience: enough to learn of a new primary, not to sit a failover out.
        load = cluster_load.Load(running, "index", ledger, stable=stable, patience=PATIENCE)
        with load:
            for number in range(options.kills):
                confirms(load)
                figures.append(kill_one(running, load, number))
                if number % 10 == 9:
                    print(f"{number + 1} kills, {ledger.confirmed} confirmed writes", flush=True)
            confirms(load)
        running.wait_ok()
        live = ledger.check(index)
        compared = cluster_load.same_on_replicas(running, index.keys)
        assert compared == len(index.keys), compared
        sound = [client.execute_command("VICINAL.VALIDATE", key) for key in index.keys]
        assert all(report[1] == 0 for report in sound), sound
    failovers, outages, _ = zip(*figures)
    print(
        f"{options.kills} kills; {ledger.confirmed} confirmed writes, {load.unconfirmed} not confirmed, "
        f"{load.reads} searches; {live} elements sure to be there are there, once; replica in charge "
        f"after {max(failovers):.1f} s at most (node timeout {options.node_timeout / 1000:g} s), "
        f"calls failed for {max(outages):.1f} s at most"
    )
    limit = 3 * options.node_timeout / 1000
    if max(failovers) > limit:
        print(f"longer than three node timeouts ({limit:g} s): a loaded machine, or a fault")
    return 0


if __name__ == "__main__":
    sys.exit(main())
