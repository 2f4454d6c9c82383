#!/usr/bin/env bash
# Proves that baseline.sh accepts kernels in their own section and refuses the same code outside.
# usage: baseline_selftest.sh GOOD_ARCHIVE BAD_ARCHIVE OBJDUMP
set -euo pipefail
check="$(cd "$(dirname "$0")" && pwd)/baseline.sh"

bash "$check" "$1" "$3"
if found="$(bash "$check" "$2" "$3")"; then
  echo "accepted AVX2 in ordinary code"
  exit 1
fi
echo "$found"
grep -q '^<_Z8add_onesPi>: ' <<<"$found"
