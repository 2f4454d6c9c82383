#!/usr/bin/env bash
# Installs the package into a fresh folder and uses it there.
# usage: installed.sh PYTHON wheel WHEEL_LIST ROOT BUILD     into a virtual environment, from the
#                                                            wheel, without a compiler
#        installed.sh PYTHON clone WHEEL_LIST ROOT BUILD     likewise by pip from the clone ROOT,
#                                                            built in BUILD
#        installed.sh PYTHON system WHEEL_LIST ROOT BUILD    as a distribution's package does
# WHEEL_LIST is a file with the wheel's path.
set -euo pipefail
python="$1" way="$2" wheel_list="$3" root="$4" build="$5"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
program="$root/tests/python/installed.py"

# inside PATH COMMAND...: without anything that tells the loader or Python where to look.
inside() { env -i HOME="$work" TMPDIR="$work" PATH="$1" "${@:2}"; }

if [ "$way" = system ]; then
  cmake --install "$build" --component python3-vicinal --prefix "$work/usr"
  cp "$build/engine/c/libvicinal.so.0" "$work/usr/lib"
  cd "$work"
  inside /nowhere /usr/bin/env PYTHONPATH="$work/usr/lib/python3/dist-packages" \
    LD_LIBRARY_PATH="$work/usr/lib" "$python" -B "$program" "$work/usr" "$root" "$build" system
  exit 0
fi

if ! "$python" -m venv --system-site-packages "$work/venv" >"$work/log" 2>&1; then
  echo "skipped: no virtual environment (python3-venv): $(tail -n 1 "$work/log")"
  exit 77
fi
programs="$work/venv/bin"
pip=("$programs/python" -m pip --disable-pip-version-check install --no-index --no-cache-dir)
if [ "$way" = wheel ]; then
  # A system without a compiler: there is nothing but the environment's own programs.
  for compiler in cc gcc g++ c++ clang cmake ninja make; do
    if inside "$programs" "$programs/python" -c \
      "import shutil, sys; sys.exit(shutil.which('$compiler') is None)"; then
      echo "there is a $compiler"
      exit 1
    fi
  done
  # From a folder of its own: the build tree has no part in it.
  cp "$(cat "$wheel_list")" "$work"
  inside "$programs" "${pip[@]}" "$work"/vicinal-*.whl
else
  inside "$PATH" "${pip[@]}" --config-settings "build-dir=$build" "$root/tools/python"
fi
cd "$work"
inside "$programs" "$programs/python" -B "$program" "$work/venv" "$root" "$build" wheel
