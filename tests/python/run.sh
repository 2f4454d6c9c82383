#!/usr/bin/env bash
# Runs a test with PYTHON, or says why not.
# usage: run.sh PYTHON TEST.py                 a Python program
#        run.sh PYTHON TEST.sh ARGUMENT...     a script, which gets PYTHON first
set -euo pipefail
python="$1" test="$2"
if ! "$python" -c "import numpy" 2>/dev/null; then
  echo "skipped: $python has no numpy (python3-numpy)"
  exit 77
fi
case "$test" in
  *.sh) exec bash "$test" "$python" "${@:3}" ;;
  *) exec "$python" -B -W error::DeprecationWarning "$test" ;;
esac
