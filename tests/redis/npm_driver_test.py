"""npm's redis, unmodified, drives the module (npm_driver.mjs). Installs it into a folder of its own, from
the registry that npm is set up for; skipped where node, npm or the registry are missing.

usage: npm_driver_test.py MODULE
"""

import os
import shutil
import subprocess
import sys
import tempfile

import server

# By the oldest major version of node that they run on.
PACKAGES = ((20, "redis@6.3.1"), (18, "redis@5.8.3"))
INSTALL_SECONDS = 60
DRIVE_SECONDS = 120


def node_major():
    out = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return int(out.strip().lstrip("v").split(".")[0])


def install(folder):
    """Installs the package, or ends the test as skipped."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            server.skip(f"{tool} is not installed")
    major = node_major()
    package = next((name for least, name in PACKAGES if major >= least), None)
    if package is None:
        server.skip(f"node {major}, which npm's redis does not run on")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, package]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        server.skip(f"npm install {package} did not end within {INSTALL_SECONDS} s")
    if done.returncode != 0:
        server.skip(f"npm install {package} failed: {done.stderr.strip().splitlines()[:1]}")
    return package


def main():
    server.require_program()
    with tempfile.TemporaryDirectory(prefix="vicinal-npm-") as folder:
        package = install(folder)
        script = os.path.join(folder, "npm_driver.mjs")
        shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "npm_driver.mjs"), script)
        with server.Server(sys.argv[1]) as plain, server.cluster_of_one(sys.argv[1]) as cluster:
            command = ["node", script, str(plain.port), str(cluster.port)]
            done = subprocess.run(command, timeout=DRIVE_SECONDS)
        print(f"{package} on node {node_major()}: exit code {done.returncode}")
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
