"""All servers of a cluster are killed (kill -9) under load and started again: every write that was
acknowledged is there, with any appendfsync, since the append-only file is written before replies go out.
(What a power cut leaves with everysec, all but about the last second, no kill can show.)

    outage_test.py MODULE [--fsync always|everysec] [--rounds N]
"""

import argparse
import sys
import time

import cluster
import cluster_load
import server

DIMENSION = 16


def outage(running, index, ledger, load):
    with load:
        server.wait_for(lambda: load.writes > 500, 60, "500 writes")
        # One after the other within some milliseconds, replicas last: none has time to take over.
        for node in sorted(running.nodes, key=lambda node: not node.is_primary()):
            node.kill()
        time.sleep(0.2)
    assert load.errors
    for node in running.nodes:
        node.restart()
    running.wait_ok()
    return ledger.check(index)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("--fsync", default="always", choices=("always", "everysec"))
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    server.require_program()
    ledger = cluster_load.Ledger(DIMENSION)
    # Acknowledged means by the primary alone, here. It must then be the primary that comes back.
    config = {"appendfsync": options.fsync, "cluster-replica-no-failover": "yes"}
    with cluster.Cluster(options.module, config=config) as running:
        make = cluster_load.vicinal_slices.SlicedIndex
        index = make.create(running.redis(), "index", 6, DIMENSION, patience=60)
        for number in range(options.rounds):
            load = cluster_load.Load(
                running, "index", ledger, replicas=0, patience=0, prefix=f"r{number}"
            )
            live = outage(running, index, ledger, load)
        compared = cluster_load.same_on_replicas(running, index.keys)
        assert compared == len(index.keys), compared
    print(f"appendfsync {options.fsync}, {options.rounds} times all killed: {ledger.confirmed} acknowledged "
          f"writes, {live} elements sure to be there are there")
    return 0


if __name__ == "__main__":
    sys.exit(main())
