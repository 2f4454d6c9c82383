#!/usr/bin/env bash
# listed.sh EMULATOR LISTER TARGET...: every target compiled into this build has its forced test. An
# EMULATOR of "-" is none.
set -eu
read -r -a emulator <<<"$1"
if [ "$1" = "-" ]; then emulator=(); fi
lister=$2
shift 2
list=$(${emulator[@]+"${emulator[@]}"} "$lister" --list)
missing=0
while read -r name state; do
  case " $* " in
    *" $name "*) ;;
    *) echo "no test for target $name ($state): add it to tests/targets/CMakeLists.txt" && missing=1 ;;
  esac
done <<<"$list"
exit $missing
