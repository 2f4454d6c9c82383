#!/usr/bin/env bash
# Fails when the library has an object that is made behind a lock at the first call, or that ends with the
# program. An index may be used as other static objects end, and by a child of fork() whose parent had a
# thread in such a first call: engine/base/process.h (first_made) keeps what a process has one of.
#
# A local static is one of both where it has a guard variable; a thread's own has one too, in the thread's
# memory, and no lock. Others end with the program where a destructor is named as the program begins.
# Those of tsl::robin_map are empty buckets: nothing of theirs is freed.
# usage: statics.sh ARCHIVE [NM] [OBJDUMP]
set -euo pipefail
nm="${2:-nm}" objdump="${3:-objdump}"

guarded="$("$nm" -C -f sysv "$1" | grep -F 'guard variable for' | grep -v '| *TLS *|' |
  grep -v 'guard variable for tsl::' | sort -u)" || true
ended="$("$objdump" -r -C "$1" | awk '
  /^RELOCATION RECORDS FOR \[/ { begins = /\[\.text\.startup/ }
  begins && /::~/ && !/std::ios_base::Init::~Init/ { print }')"
members="$("$nm" "$1" | grep -c ':$')"
printf '%s\n' "$guarded" "$ended" | sed '/^$/d'
echo "$members object files looked at"
[ -z "$guarded$ended" ] && [ "$members" -gt 0 ]
