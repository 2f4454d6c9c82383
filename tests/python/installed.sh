#!/usr/bin/env bash
# Installs the package into a fresh virtual environment and uses it there.
# usage: installed.sh PYTHON wheel WHEEL_LIST ROOT BUILD    from the wheel, without a compiler
#        installed.sh PYTHON clone WHEEL_LIST ROOT BUILD    by pip from the clone, built in BUILD
# WHEEL_LIST is a file with the wheel's path.
set -euo pipefail
python="$1" way="$2" wheel_list="$3" root="$4" build="$5"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

if ! "$python" -m venv --system-site-packages "$work/venv" >"$work/log" 2>&1; then
  echo "skipped: no virtual environment (python3-venv): $(tail -n 1 "$work/log")"
  exit 77
fi
# Nothing but the environment's own programs: no compiler, no CMake; nothing that tells the loader
# or Python where to look; no network.
inside() { env -i HOME="$work" TMPDIR="$work" PATH="$1" "${@:2}"; }
pip=("$work/venv/bin/python" -m pip --disable-pip-version-check install --no-index --no-cache-dir)

case "$way" in
  wheel)
    for compiler in cc gcc g++ c++ clang cmake ninja make; do
      if inside "$work/venv/bin" "$work/venv/bin/python" -c \
        "import shutil, sys; sys.exit(shutil.which('$compiler') is None)"; then
        echo "there is a $compiler"
        exit 1
      fi
    done
    # From a folder of its own: the build tree has no part in it.
    cp "$(cat "$wheel_list")" "$work"
    inside "$work/venv/bin" "${pip[@]}" "$work"/vicinal-*.whl
    ;;
  clone)
    inside "$PATH" "${pip[@]}" --config-settings "build-dir=$build" "$root/tools/python"
    ;;
esac

cd "$work"
inside "$work/venv/bin" "$work/venv/bin/python" - "$work/venv" "$root" "$build" <<'PYTHON'
import base64
import hashlib
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import vicinal

environment, root, build = sys.argv[1:]
assert vicinal.__file__.startswith(environment), vicinal.__file__

# It works.
rows = np.random.default_rng(1).standard_normal((500, 32))
with vicinal.Store("memory.vic") as store:
    index = store.index("text", dimension=32)
    index.upsert_batch(range(500), rows)
    index.upsert(500, rows[3])
    labels, distances = index.search(rows, k=2)
    assert (labels[:, 0] == np.arange(500)).all() and labels[3, 1] == 500, labels
    assert index.search(rows[3].astype(np.float32), k=1)[0] == [3]
with vicinal.Store("memory.vic", create=False) as store:
    assert len(store.index("text")) == 501
    assert store.index("text").validate(deep=True).problems == 0

# Every library that it has mapped, but the system's own C and C++ libraries, is the package's.
mapped = {line.split(maxsplit=5)[5] for line in Path("/proc/self/maps").read_text().splitlines()
          if len(line.split(maxsplit=5)) == 6}
mapped = {line.strip() for line in mapped}
assert not [line for line in mapped if line.startswith((root + "/", build + "/"))], mapped
folder = Path(vicinal.__file__).parent
for library in folder.glob("*.so*"):
    named = {line for line in mapped if Path(line).name == library.name}
    assert named == {str(library)}, (library, named)
assert len(list(folder.glob("*.so*"))) >= 6, list(folder.iterdir())

# What was installed is what the wheel says, licenses of what it brings included; nothing in it
# knows where it was built.
files = importlib.metadata.files("vicinal")
for file in files:
    if file.hash is not None:
        digest = hashlib.sha256(file.read_binary()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value, file
names = {file.name for file in files}
assert {"py.typed", "_call.abi3.so", "libvicinal.so.0", "LICENSE"} <= names, names
assert "libvicinal.so" not in names, names
if Path("/var/lib/dpkg").exists():
    assert len([file for file in files if file.parent.name == "licenses"]) >= 6, names
for file in files:
    if ".so" in file.name:
        assert build.encode() not in file.read_binary(), f"{file} names {build}"
assert importlib.metadata.version("vicinal") == vicinal.__version__
assert importlib.metadata.requires("vicinal") == ["numpy>=1.23"]
print("installed and used:", vicinal.__version__, *sorted(names))
PYTHON
