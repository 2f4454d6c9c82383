#!/usr/bin/env bash
# Proves that include_direction.sh accepts a good tree and refuses each kind of bad include.
set -euo pipefail
check="$(cd "$(dirname "$0")" && pwd)/include_direction.sh"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# expect good|bad FILE INCLUDE: a tree whose FILE holds INCLUDE passes or fails.
trees=0 failures=0
expect() {
  trees=$((trees + 1))
  rm -rf "$work/tree"
  mkdir -p "$work"/tree/{kernels,graph,persist,engine/include/vicinal,engine/base,engine/c/vicinal/c,engine/mimalloc,tools,bench}
  printf '#include <vector>\n' >"$work/tree/kernels/base.h"
  printf '#include %s\n' "$3" >"$work/tree/$2"
  local verdict=good
  bash "$check" "$work/tree" >"$work/output" || verdict=bad
  if [ "$verdict" != "$1" ]; then
    echo "$2 including $3 was judged $verdict:"
    cat "$work/output"
    failures=$((failures + 1))
  fi
}

expect good kernels/dot.cc '<hwy/highway.h>'
expect good kernels/dot.cc '"vicinal/status.h"'
expect good kernels/dot.cc '"engine/base/check.h"'
expect bad kernels/dot.cc '"graph/graph.h"'
expect bad kernels/dot.cc '"vicinal/store.h"'
expect good kernels/dot.cc '"hwy/highway.h"'
expect bad kernels/dot.cc '"dot-inl.h"'
expect bad kernels/dot.cc '"../graph/graph.h"'
expect good graph/search.cc '"kernels/kernels.h"'
expect good engine/base/names.cc '"vicinal/types.h"'
expect bad engine/base/names.cc '"vicinal/index.h"'
expect bad engine/base/names.cc '"engine/turn.h"'
expect bad engine/base/names.cc '"graph/types.h"'
expect bad graph/search.cc '"persist/codec.h"'
expect bad graph/search.cc '"engine/index_core.h"'
expect bad graph/search.cc '<hwy/aligned_allocator.h>'
expect good persist/codec.cc '<cereal/cereal.hpp>'
expect good persist/codec_archive.h '<cereal/cereal.hpp>'
expect good persist/codec.cc '"graph/types.h"'
expect bad persist/recovery.cc '"graph/graph.h"'
expect bad persist/recovery.cc '"kernels/kernels.h"'
expect bad persist/recovery.cc '<cereal/cereal.hpp>'
expect bad persist/recovery.cc '<lmdb.h>'
expect good persist/lmdb_env.cc '<lmdb.h>'
expect bad persist/lmdb_env.h '<lmdb.h>'
expect good engine/store.cc '"persist/recovery.h"'
expect bad engine/store.cc '<lmdb.h>'
expect bad engine/store.cc '"tools/command.h"'
expect good engine/base/bitmap.h '<roaring/roaring.h>'
expect bad engine/store.cc '<roaring/roaring.h>'
expect bad engine/include/vicinal/label_set.h '<roaring/roaring.h>'
expect bad bench/labels.cc '<roaring/roaring.hh>'
expect good engine/mimalloc/plug.cc '<mimalloc.h>'
expect good tools/main.cc '<mimalloc.h>'
expect bad engine/store.cc '<mimalloc.h>'
expect good engine/include/vicinal/store.h '"vicinal/index.h"'
expect bad engine/include/vicinal/store.h '<tsl/robin_map.h>'
expect bad engine/include/vicinal/store.h '<lmdb.h>'
expect bad engine/include/vicinal/store.h '"graph/types.h"'
expect good engine/c/store.cc '"vicinal/store.h"'
expect good engine/c/store.cc '"engine/base/check.h"'
expect good engine/c/store.cc '"engine/c/answer.h"'
expect bad engine/c/store.cc '"engine/store_core.h"'
expect bad engine/c/store.cc '"persist/convert.h"'
expect good engine/c/vicinal.h '<vicinal/c/store.h>'
expect good engine/c/vicinal/c/store.h '<stdint.h>'
expect bad engine/c/vicinal/c/store.h '<cstdint>'
expect bad engine/c/vicinal/c/store.h '<vicinal/store.h>'
expect bad engine/c/vicinal/c/store.h '"engine/base/check.h"'
expect good tools/main.cc '<CLI/CLI.hpp>'
expect bad tools/main.cc '"graph/graph.h"'

[ "$failures" -eq 0 ] && echo "$trees trees judged rightly"
