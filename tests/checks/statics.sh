#!/usr/bin/env bash
# Fails when the library has an object that is made behind a lock at the first call, or that ends with the
# program. An index may be used as other static objects end, and by a child of fork() whose parent had a
# thread in such a first call: engine/base/process.h (first_made) keeps what a process has one of.
#
# A local static is one of both where it has a guard variable; a thread's own has one too, in the thread's
# memory, and no lock. Others end with the program where something is registered for that as it begins, but
# for <iostream>, of which each file that includes it has one.
# Those of tsl::robin_map are empty buckets: nothing of theirs is freed.
# usage: statics.sh ARCHIVE [NM] [OBJDUMP]
set -euo pipefail
nm="${2:-nm}" objdump="${3:-objdump}"

guarded="$("$nm" -C -f sysv "$1" | grep -F 'guard variable for' | grep -v '| *TLS *|' |
  grep -v 'guard variable for tsl::' | sort -u)" || true
ended="$("$objdump" -dr --no-show-raw-insn "$1" | awk '
  function tell() { if (ends > streams) print file " registers what ends with the program" }
  / file format / { tell(); file = $1; ends = streams = 0 }
  /^[0-9a-f]+ <.*>:$/ { begins = /_GLOBAL__sub_I_|static_initialization_and_destruction/ }
  begins && /\t__cxa_atexit/ { ++ends }
  begins && /\t_ZNSt8ios_base4InitD1Ev/ { ++streams }
  END { tell() }')"
members="$("$nm" "$1" | grep -c ':$')"
printf '%s\n' "$guarded" "$ended" | sed '/^$/d'
echo "$members object files looked at"
[ -z "$guarded$ended" ] && [ "$members" -gt 0 ]
