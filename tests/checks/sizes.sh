#!/usr/bin/env bash
# Fails when a source file is longer than 400 lines: it holds more than one idea.
# usage: sizes.sh ROOT
set -euo pipefail
cd "$1"
find kernels graph persist engine tools bench tests \( -name '*.h' -o -name '*.cc' -o -name '*.rs' \) -print0 |
  xargs -0 wc -l |
  awk '$2 != "total" { count++ } $2 != "total" && $1 > 400 { print $2 ": " $1 " lines"; bad++ }
       END { printf "%d files, %d too long\n", count, bad; exit bad > 0 || count == 0 }'
