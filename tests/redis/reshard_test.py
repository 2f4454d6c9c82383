"""Slots with slices move under load: no search misses an element that is there, none comes twice, and the
ledger is right to the end. Two slots go to other primaries and back; one stays half-way for a while, its
key ahead of it; with --scale a fourth primary joins,
slots are rebalanced over four and back over three by redis-cli, and it leaves; with --instance MB a slice
of that size moves with its server: a new replica, CLUSTER FAILOVER, the old one forgotten.

    reshard_test.py MODULE [--seconds N] [--scale] [--instance MB]
"""

import argparse
import sys
import time

import cluster
import cluster_load
import server
from workload import vector

DIMENSION = 16
# redis-cli takes slots from the beginning of each primary's range, and counts slots, not keys: of six keys
# on three primaries a fourth gets none.
SLICES = 12


class Watch:
    """Prints what a step of the test cost the clients."""

    def __init__(self, running, load):
        self.running, self.load = running, load

    def step(self, what, action):
        self.load.reset()
        reads, writes, start = self.load.reads, self.load.writes, time.monotonic()
        action()
        took = time.monotonic() - start
        time.sleep(0.3)
        self.load.alive()
        assert not self.load.errors, self.load.errors[:3]
        for node in self.running.running():
            assert node.state()["cluster_state"] == "ok", node.tail()
        longest = self.load.longest
        print(
            f"{what}: {took:.1f} s; beside it {self.load.reads - reads} searches, {self.load.writes - writes} "
            f"confirmed writes, the longest {longest['read']:.2f} s and {longest['write']:.2f} s",
            flush=True,
        )


def forth_and_back(running, index, seconds):
    """Two slices change primaries, until the time is over, at least once."""
    homes = [running.primary_of(key) for key in index.keys]
    end = time.monotonic() + seconds
    rounds = 0
    while rounds == 0 or time.monotonic() < end:
        # The first key is of the first primary, the last of the third.
        for first, third in ((homes[SLICES // 2], homes[0]), (homes[0], homes[-1])):
            running.move(index.keys[0], first)
            running.move(index.keys[-1], third)
        rounds += 1
    for key, home in zip(index.keys, homes):
        assert running.primary_of(key) is home
    return rounds


def half_way(running, load, index):
    """A key is on another primary than its slot: nothing waits for the move's end, ASK is followed."""
    source, target = (running.primary_of(index.keys[i]) for i in (0, -1))
    running.begin_move(index.keys[0], target)
    client = running.redis()  # one that knows the cluster from before
    at_once = cluster_load.vicinal_slices.SlicedIndex(client, index.name, patience=0.0)
    names = [name for name, _, _ in at_once.items(index.keys[0])]
    assert names and all(index.key(name) == index.keys[0] for name in names)
    # One that was there and one that was not, each confirmed by the target's replica.
    row = vector(-1, DIMENSION)
    new = next(f"half{i}" for i in range(1000) if index.key(f"half{i}") == index.keys[0])
    items = [(new, row), (f"{new} elsewhere", row), (new, row)]
    assert at_once.add_many(items, replicas=1, wait_ms=10000) == [True, True, False]
    assert at_once.search(row, 2, options=("TRUTH",)) == [(e.encode(), 1.0) for e, _ in items[:2]]
    assert at_once.remove(new) and at_once.remove(items[1][0]) and at_once.vector(new) is None
    assert source.keys_beside(index.keys[0]) == 0, "the slot's primary has a key"
    reads, writes = load.reads, load.writes
    progress = lambda: load.reads > reads + 20 and load.writes > writes + 20
    server.wait_for(progress, 30, "searches and writes beside a slot that is half-way")
    running.end_move(index.keys[0], source, target)
    running.move(index.keys[0], source)


def scale(running, watch, index):
    """A fourth primary, with a replica, joins and leaves."""
    fourth = running.add()
    running.add(replica_of=fourth)
    running.wait_ok()
    words = ("--cluster-use-empty-masters", "--cluster-timeout", 60000)
    watch.step("rebalanced to four", lambda: running.command("rebalance", *words))
    settled(running)
    held = [key for key in index.keys if running.primary_of(key) is fourth]
    assert len(held) == SLICES // 4, held
    weight = ("--cluster-weight", f"{fourth.identity()}=0", "--cluster-timeout", 60000)
    watch.step("rebalanced to three", lambda: running.command("rebalance", *weight))
    settled(running)
    for node in [*running.replicas_of(fourth), fourth]:
        running.remove(node)
    running.wait_ok()


def settled(running):
    """Waits until all agree on who has what: redis-cli ends a moment before."""
    server.wait_for(lambda: "[OK] All nodes agree" in running.command("check", check=False), 60, "agreement")


def move_instance(running, watch, index, megabytes):
    """A primary with a large slice hands over to a server that has just joined."""
    old = running.primary_of(index.keys[0])
    key = index.keys[0].replace("index", "large")
    cluster_load.grow(old, key, megabytes)
    count, digest = old.call("VCARD", key), old.call("DEBUG", "DIGEST-VALUE", key, timeout=600)
    new = []
    watch.step(f"{megabytes} MB to a new replica", lambda: new.append(running.add(replica_of=old)))
    new = new[0]
    watch.step("handed over", lambda: running.hand_over(new))
    running.remove(old)
    running.wait_ok()
    assert running.primary_of(key) is new
    assert new.call("VCARD", key) == count and new.call("DEBUG", "DIGEST-VALUE", key, timeout=600) == digest
    new.call("UNLINK", key)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--scale", action="store_true")
    parser.add_argument("--instance", type=int, metavar="MB", default=0)
    options = parser.parse_args()
    server.require_program()
    if options.scale:
        cluster.require_cli()
    ledger = cluster_load.Ledger(DIMENSION)
    with cluster.Cluster(options.module) as running:
        make = cluster_load.vicinal_slices.SlicedIndex
        index = make.create(running.redis(), "index", SLICES, DIMENSION, patience=60)
        stable = cluster_load.add_stable(index, 900, DIMENSION, ledger)
        with cluster_load.Load(running, "index", ledger, stable=stable, patience=60) as load:
            watch = Watch(running, load)
            moves = lambda: forth_and_back(running, index, options.seconds)
            watch.step("two slots forth and back", moves)
            watch.step("a slot left half-way", lambda: half_way(running, load, index))
            if options.scale:
                scale(running, watch, index)
            if options.instance:
                move_instance(running, watch, index, options.instance)
        running.wait_ok()
        live = ledger.check(index)
        cluster_load.same_on_replicas(running, index.keys)
    print(f"{ledger.confirmed} confirmed writes, {live} elements sure to be there are there, once")
    return 0


if __name__ == "__main__":
    sys.exit(main())
