# Uses the command `vicinal` on a few vectors; run by a POSIX shell (sh -e), in a root that has little.
# usage: use_tool.sh VICINAL...   the command, with what starts it
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
store="$work/store"

i=0
while [ $i -lt 50 ]; do
  echo "{\"label\": $i, \"vector\": [$i, $((i * i % 17)), 1, $((50 - i))]}"
  i=$((i + 1))
done >"$work/rows.jsonl"

"$@" --version
"$@" cpu
"$@" -q import --store "$store" --index text "$work/rows.jsonl"
"$@" search --store "$store" --label 7 -k 3 --json >"$work/found"
cat "$work/found"
grep -q '"label": *7[,}]' "$work/found"
"$@" erase --store "$store" 7
"$@" validate --store "$store" --deep
"$@" backup --store "$store" "$work/copy"
"$@" list --store "$work/copy" | grep -w 49
