#!/usr/bin/env bash
# Every planted fault (tests/planted) has a line in its list, and can still be planted: its patch
# applies to the sources as they are.
# usage: planted.sh ROOT
set -euo pipefail
cd "$1"
failed=0
while read -r name _; do
  if [ ! -f "tests/planted/$name.patch" ]; then
    echo "tests/planted/list names $name, which has no patch"
    failed=1
  fi
done < <(grep -v '^#' tests/planted/list)
for patch in tests/planted/*.patch; do
  name="$(basename "$patch" .patch)"
  if ! grep -q "^$name " tests/planted/list; then
    echo "$patch is in no line of tests/planted/list"
    failed=1
  fi
  if ! git apply --check "$patch"; then
    echo "$patch applies no more: plant the fault anew"
    failed=1
  fi
done
exit "$failed"
