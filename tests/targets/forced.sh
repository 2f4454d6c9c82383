#!/usr/bin/env bash
# forced.sh EMULATOR TARGET LISTER PROGRAM[=FILTER]...: runs test programs with VICINAL_TARGET=TARGET
# ("-": not forced). An EMULATOR of "-" is none. Exit code 77 when the target cannot run here.
set -eu
read -r -a emulator <<<"$1"
if [ "$1" = "-" ]; then emulator=(); fi
target=$2
lister=$3
shift 3

if [ "$target" != "-" ]; then
  list=$(${emulator[@]+"${emulator[@]}"} "$lister" --list)
  line=$(grep "^$target " <<<"$list" || true)
  if [ -z "$line" ]; then
    echo "skipped: $target is not compiled into this build"
    exit 77
  fi
  case "$line" in
    "$target supported"*) export VICINAL_TARGET="$target" ;;
    *) echo "skipped: $line" && exit 77 ;;
  esac
fi
for program in "$@"; do
  filter="*"
  case "$program" in *=*) filter="${program#*=}" && program="${program%%=*}" ;; esac
  echo "== $(basename "$program") --gtest_filter=$filter"
  code=0
  output=$(${emulator[@]+"${emulator[@]}"} "$program" --gtest_brief=1 --gtest_filter="$filter" \
    --gtest_color=no 2>&1) || code=$?
  echo "$output"
  [ "$code" = 0 ] || { echo "exit code $code" && exit 1; }
  # A filter that fits nothing would pass as well.
  grep -q '^\[  PASSED  \] [1-9]' <<<"$output" || { echo "no test ran" && exit 1; }
done
