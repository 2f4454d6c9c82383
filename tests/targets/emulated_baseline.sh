#!/usr/bin/env bash
# emulated_baseline.sh LISTER PROGRAM[=FILTER]...: runs test programs on an emulated x86-64 CPU without
# AVX, which raises SIGILL for what it does not know: nothing outside the kernels' target sections
# needs more than the baseline.
set -eu
here=$(dirname "$0")
if ! command -v qemu-x86_64 >/dev/null; then
  echo "skipped: qemu-x86_64 is not installed (Debian package qemu-user)"
  exit 77
fi
emulator="qemu-x86_64 -cpu Nehalem"
list=$($emulator "$1" --list)
echo "$list"
# Proof that the emulated CPU lacks what it should lack.
for target in avx3_vnni avx3 avx2; do
  if grep -q "^$target supported" <<<"$list"; then
    echo "the emulated CPU has $target" && exit 1
  fi
done
grep -q ' supported' <<<"$list"
exec bash "$here/forced.sh" "$emulator" - "$@"
