#!/usr/bin/env bash
# Proves that statics.sh accepts what stays and refuses what is guarded or ends with the program.
# usage: statics_selftest.sh GOOD_ARCHIVE BAD_ARCHIVE NM OBJDUMP
set -euo pipefail
check="$(cd "$(dirname "$0")" && pwd)/statics.sh"

bash "$check" "$1" "$3" "$4"
if found="$(bash "$check" "$2" "$3" "$4")"; then
  echo "accepted objects that end with the program"
  exit 1
fi
echo "$found"
grep -q 'guard variable for made_once()::numbers' <<<"$found"
grep -q 'registers what ends with the program' <<<"$found"
