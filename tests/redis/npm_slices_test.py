"""The reference client for Node (tools/redis/clients/node) with npm's redis, on a cluster of three, beside
an index of the client for Python; and again while the slot of the first of six keys is half-way to another
server, where ASK must be followed. Skipped where node, npm or the registry are missing.

usage: npm_slices_test.py MODULE
"""

import os
import shutil
import subprocess
import sys
import tempfile

import cluster
import server
from npm_driver_test import DRIVE_SECONDS, install, node_major

vicinal_slices = cluster.require_client()


def vector(seed):
    """As npm_slices.mjs has it."""
    return [(seed * 31 + i * 17 + seed * i) % 97 - 48 for i in range(8)]


def main():
    server.require_program()
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory(prefix="vicinal-npm-") as folder:
        package = install(folder)
        script = os.path.join(folder, "npm_slices.mjs")
        shutil.copy(os.path.join(here, "npm_slices.mjs"), script)
        client = os.path.join(cluster.CLIENTS, "node", "index.mjs")
        with cluster.Cluster(sys.argv[1], replicas=0) as running:
            options = ("NOQUANT",)
            index = vicinal_slices.SlicedIndex.create(running.redis(), "python", 6, 8, options)
            index.add_many([(f"e{i}", vector(i)) for i in range(200)])
            command = ["node", script, client, str(running.nodes[0].port)]
            subprocess.run([*command, "node"], timeout=DRIVE_SECONDS, check=True)
            source, target = (running.primary_of(index.keys[i]) for i in (0, -1))
            running.begin_move(index.keys[0], target)
            subprocess.run([*command, "half-way"], timeout=DRIVE_SECONDS, check=True)
            # Of "python", and of what the script has made in two runs.
            held = [node.keys_beside(index.keys[0]) for node in (source, target)]
            assert held == [0, 5], held
        print(f"{package} on node {node_major()}: done, and with a slot half-way")
        return 0


if __name__ == "__main__":
    sys.exit(main())
