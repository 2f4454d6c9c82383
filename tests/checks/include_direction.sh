#!/usr/bin/env bash
# Fails when a room includes what it may not:
#   kernels <- graph <- engine, persist <- engine; persist knows graph/types.h only. engine/base and
#   the plain public headers are the ground floor: everybody may include them, they include no room.
#   cereal only in persist/codec*, lmdb.h only in persist/lmdb_*.cc, Highway only in kernels/,
#   CRoaring only in engine/base/bitmap.h, mimalloc, within the library, only in engine/mimalloc/;
#   the C ABI (engine/c) stands on the public headers and the ground floor, and its own headers on
#   C's and each other;
#   public headers include public and standard headers only. Includes are written from the project
#   root.
# usage: include_direction.sh ROOT
set -euo pipefail
cd "$1"

find kernels graph persist engine tools bench \( -name '*.h' -o -name '*.cc' \) |
  sort | xargs grep -nHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' |
  awk '
    # What each room may include of this project, as a pattern over include paths. The facade
    # (store.h, index.h, cpu.h) is for those above it.
    BEGIN {
      shared = "vicinal/(types|status|memory|options|label_set|event|requirements|stored_stats|stream)\\.h|engine/base/.*"
      allowed["base"] = "^(" shared ")$"
      allowed["kernels"] = "^(" shared "|kernels/.*)$"
      allowed["graph"] = "^(" shared "|kernels/.*|graph/.*)$"
      allowed["persist"] = "^(" shared "|graph/types\\.h|persist/.*)$"
      allowed["engine"] = "^(vicinal/.*|engine/.*|kernels/.*|graph/.*|persist/.*)$"
      allowed["c"] = "^(vicinal/.*|engine/base/.*|engine/c/.*)$"
      allowed["c_public"] = "^vicinal/c/.*$"
      allowed["public"] = "^vicinal/.*$"
      allowed["tools"] = "^(vicinal/.*|tools/.*)$"
      allowed["bench"] = "^(vicinal/.*|engine/base/.*|kernels/.*|tools/.*|bench/.*)$"
    }
    function complain(why) {
      printf "%s:%s: includes %s: %s\n", file, line, included, why
      bad++
    }
    {
      match($0, /^[^:]+:[0-9]+:/)
      split(substr($0, 1, RLENGTH), position, ":")
      file = position[1]; line = position[2]
      included = substr($0, RLENGTH + 1)
      quoted = included ~ /include[[:space:]]*"/
      sub(/^[^<"]*[<"]/, "", included); sub(/[>"].*$/, "", included)
      room = file; sub(/\/.*/, "", room)
      if (file ~ /^engine\/include\//) room = "public"
      if (file ~ /^engine\/base\//) room = "base"
      if (file ~ /^engine\/c\//) room = "c"
      if (file ~ /^engine\/c\/vicinal(\/c\/[a-z_]+)?\.h$/) room = "c_public"
      ours = included ~ /^(vicinal|kernels|graph|persist|engine|tools|bench|tests)\//
      if (ours) {
        if (included !~ allowed[room]) complain("not for the room " room)
      } else if (quoted && (included !~ /\// || included ~ /^\./)) {
        complain("write it from the project root")
      } else if (room == "public" && included !~ /^[a-z_0-9]+$/) {
        complain("public headers show no third-party header")
      } else if (room == "c_public" && !ours && included !~ /^std(bool|def|int)\.h$/) {
        complain("the headers of the C ABI show types of C only")
      } else if (included ~ /^cereal\// && file !~ /^persist\/codec[a-z_]*\./) {
        complain("only persist/codec* may")
      } else if (included == "lmdb.h" && file !~ /^persist\/lmdb_[a-z]+\.cc$/) {
        complain("only persist/lmdb_*.cc may")
      } else if (included ~ /^hwy\// && room != "kernels") {
        complain("only kernels/ may")
      } else if (included ~ /^roaring\// && file != "engine/base/bitmap.h") {
        complain("only engine/base/bitmap.h may")
      } else if (included ~ /^mimalloc/ && room ~ /^(kernels|graph|persist|engine|base)$/ &&
                 file !~ /^engine\/mimalloc\//) {
        complain("of the library only engine/mimalloc/ may")
      }
      count++
    }
    END {
      printf "%d includes, %d against the rules\n", count, bad
      exit bad > 0 || count == 0
    }'
