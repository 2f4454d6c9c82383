#!/usr/bin/env bash
# bench/bindings/run, small: every language has a figure for every operation.
# usage: bindings.sh PYTHON ROOT BUILD
set -euo pipefail
table="$("$2/bench/bindings/run" --rows 50 --dimension 8 --rounds 1 --build "$3")"
echo "$table"
[ "$(head -n 1 <<<"$table")" = "50 vectors of 8 dimensions, 1 turns" ]
languages="$(sed -n 's/^ns per vector *//p' <<<"$table")"
for language in c++ c python; do grep -qw -- "$language" <<<"$languages"; done
cells="$(wc -w <<<"$languages")"
for operation in search_smallest search search_batch upsert upsert_batch; do
  line="$(grep -E "^$operation " <<<"$table")"
  [ "$(grep -oE '\([0-9.]+\)' <<<"$line" | wc -l)" -eq "$cells" ] || {
    echo "no figure of some language for $operation"
    exit 1
  }
done
