#!/usr/bin/env bash
# Fails when a C++ source is not formatted as .clang-format says.
# usage: format.sh ROOT [CLANG_FORMAT]
set -euo pipefail
cd "$1"
clang_format="${2:-clang-format}"
if ! command -v "$clang_format" >/dev/null; then
  echo "skipped: clang-format is not installed"
  exit 77
fi
# Tracked files where there is a repository; every file of the rooms in an unpacked archive.
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
  mapfile -t sources < <(git ls-files '*.h' '*.cc')
else
  mapfile -t sources < <(find kernels graph persist engine tools bench tests \
    \( -name '*.h' -o -name '*.cc' \) | sort)
fi
[ "${#sources[@]}" -gt 0 ] || { echo "no sources found"; exit 1; }
"$clang_format" --dry-run --Werror "${sources[@]}"
echo "${#sources[@]} files formatted"
