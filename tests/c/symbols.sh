#!/usr/bin/env bash
# Fails when the shared library shows anything but the functions of vicinal.map, when a header and
# the map do not name the same functions, when one is called by no test, and when the static library
# lacks one.
# usage: symbols.sh ROOT NM SHARED STATIC
set -euo pipefail
cd "$1"
nm="$2" shared="$3" static="$4"
bad=0

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
sed -n 's/^ *\(vicinal_[a-z_0-9]*\);$/\1/p' engine/c/vicinal.map | sort >"$work/map"
# A declaration may go over several lines; its name is before the first parenthesis.
cat engine/c/vicinal/c/*.h | sed 's#//.*##' | tr '\n' ' ' | grep -oE 'VICINAL_API [^(]*\(' |
  grep -oE 'vicinal_[a-z_0-9]+\($' | tr -d '(' | sort >"$work/headers"
"$nm" -D --defined-only "$shared" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
  sort >"$work/shown"
"$nm" --defined-only --extern-only "$static" 2>/dev/null |
  awk '$2 == "T" && $3 ~ /^vicinal_/ { print $3 }' | sort >"$work/archived"

# same WHAT FILE: FILE names what the map does.
same() {
  if ! diff "$work/map" "$work/$2" >"$work/difference"; then
    echo "$1 and engine/c/vicinal.map differ (< map only, > not in the map):"
    grep '^[<>]' "$work/difference"
    bad=1
  fi
}
same "the headers" headers
same "what the shared library shows" shown
same "what the static library has" archived

while read -r name; do
  if ! grep -qE "(^|[^a-z_0-9])$name([^a-z_0-9]|\$)" tests/c/*.cc tests/c/*.h tests/c/*.c &&
    ! { [[ "$name" == *_init ]] &&
      grep -qE "INITIALISED\(${name:8:-5}," tests/c/*.cc; }; then
    echo "no test calls $name"
    bad=1
  fi
done <"$work/map"

echo "$(wc -l <"$work/map") functions"
[ -s "$work/map" ] || bad=1
exit "$bad"
