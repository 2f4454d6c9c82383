#!/usr/bin/env bash
# Proves that headers.sh accepts a good tree and refuses each kind of bad header.
set -euo pipefail
check="$(cd "$(dirname "$0")" && pwd)/headers.sh"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# expect good|bad HEADER: a tree whose graph/a.h holds HEADER passes or fails.
trees=0 failures=0
expect() {
  trees=$((trees + 1))
  rm -rf "$work/tree"
  mkdir -p "$work"/tree/{kernels,graph,persist,engine,tools,bench,tests}
  printf '//   G1  A tag.\n' >"$work/tree/graph/b.h"
  printf 'TEST(Graph, G1Holds) {}\n' >"$work/tree/tests/b_test.cc"
  printf '%b' "$2" >"$work/tree/graph/a.h"
  local verdict=good
  bash "$check" "$work/tree" >"$work/output" || verdict=bad
  if [ "$verdict" != "$1" ]; then
    printf '%b' "$2"
    echo "was judged $verdict:"
    cat "$work/output"
    failures=$((failures + 1))
  fi
}

expect good '// A file.\n// Threads: any.\n'
expect bad '// A file. Threads: any.\n'
expect bad '  /// Does it. Errors: kBusy.\n'
expect bad '//   G1  Another meaning.\n'
expect bad '//   G2  Nobody names it.\n'
expect good '// As G1 says.\n'

echo "$((trees - failures)) of $trees trees judged rightly"
[ "$failures" -eq 0 ]
