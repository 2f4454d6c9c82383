# Paths that are not UTF-8, and byte-order marks in every text that is read.
. "$(dirname "$0")/cli.sh"

random_jsonl 30 4 1 > base.jsonl
odd=$'caf\xe9\xff'
cp base.jsonl "$odd.jsonl"

# valid FILE: every line of it is JSON, in UTF-8.
valid() {
  iconv -f UTF-8 -t UTF-8 "$1" > /dev/null 2>&1 || fail "$1 is not UTF-8"
  if command -v jq > /dev/null; then jq -e . "$1" > /dev/null 2>&1 || fail "$1 is not JSON"; fi
}

run 0 import --store "$odd" "$odd.jsonl" --json
valid out
says out '"file":"caf\\xe9\\xff.jsonl"'
for command in "list" "stats" "get 1" "search --label 1" "recall --samples 5" "erase 2" "checkpoint" "repair" \
  "rebuild" "validate --deep" "dump meta" "dump graph" "dump journal"; do
  json=--json
  [ "${command%% *}" = dump ] && json=
  run 0 ${command%% *} --store "$odd" $(sed -n 's/^[^ ]* //p' <<< "$command") $json
  valid out
done
run 0 backup --store "$odd" "$odd.copy" --json
valid out
says out '"copy":"caf\\xe9\\xff.copy"'
run 2 stats --store "$odd.none" --json
run 1 import --store "$odd" "$odd.none.jsonl" --json
# UTF-8 stays as it is, a backslash too.
cp base.jsonl 'na\ïve.jsonl'
run 0 import --store u 'na\ïve.jsonl' --json
says out '"file":"na\\ïve.jsonl"'
valid out

# Byte-order marks.
mark=$'\xef\xbb\xbf'
{ printf %s "$mark"; cat base.jsonl; } > marked.jsonl
run 0 import --store m marked.jsonl
run 0 get --store m 0 --json
mv out first
run 0 get --store u 0 --json
same out first
{ printf %s "$mark"; seq 100 129; } > labels.txt
run 0 import --store m --index labelled --labels labels.txt base.jsonl
run 0 get --store m --index labelled 100
printf '%s100\r\n101\r\n' "$mark" > crlf.txt
run 0 erase --store m --index labelled --labels crlf.txt
says out "erased 2 of 2"
printf '%s' "$mark" > only.txt
run 1 erase --store m --index labelled --labels only.txt
says err "no labels"
printf '%s' "$mark" > only.jsonl
run 1 import --store m only.jsonl
says err "no line holds anything"
printf '1\n%s2\n' "$mark" > inside.txt
run 1 erase --store m --index labelled --labels inside.txt
says err "line 2"
# Another encoding is named, with the command that converts.
printf '\xff\xfe1\x000\x000\x00\n\x00' > wide.txt
run 1 erase --store m --index labelled --labels wide.txt
says err "iconv -f UTF-16 -t UTF-8"
printf '\xfe\xff\x001\x00\n' > wide.txt
run 1 erase --store m --index labelled --labels wide.txt
says err "iconv -f UTF-16 -t UTF-8"
finish
