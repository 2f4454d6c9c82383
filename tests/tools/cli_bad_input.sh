# Bad input: each gets its exit code and a message with the values, and changes nothing.
. "$(dirname "$0")/cli.sh"

random_jsonl 500 8 1 > base.jsonl
run 0 import --store s base.jsonl
random_jsonl 20 7 1 > narrow.jsonl

# Files.
run 1 import --store s missing.jsonl
says err "missing.jsonl"
run 1 import --store s base.xyz
says err "base.xyz"
: > empty.fvecs
run 1 import --store s empty.fvecs
says err "empty.fvecs: byte 0: the file is empty"
printf '\x02\x00\x00\x00\x00\x00\x80\x3f\x00\x00\x80' > cut.fvecs
run 1 import --store fresh cut.fvecs
says err "cut.fvecs: byte 0: row 0 is truncated: 11 of 12 bytes"
[ ! -e fresh ] || fail "a malformed file made a store"
run 1 import --store s narrow.jsonl
says err "dimension 7, index has 8"
run 1 search --store s --query narrow.jsonl
says err "dimension 7, index has 8"

# A bad row: nothing of its batch, all of those before.
random_jsonl 250 8 9 1000 > bad.jsonl
echo '{"label":1250,"vector":[1,2,3,4,5,6,7,1e39]}' >> bad.jsonl
random_jsonl 49 8 10 1251 >> bad.jsonl
run 1 import --store s bad.jsonl --batch 100
says out "imported 200 rows"
says out "200 durable"
says err "bad.jsonl: row 250 at line 251: component 7 is 1e39, out of float32's range"
says err "nothing from row 200 on was imported, rows 0 to 199 were imported"
run 0 get --store s 1199
run 1 get --store s 1200
run 0 stats --store s --json
says out '"live":700'
run 0 validate --store s --deep

echo '{"vector":[0,0,0,0,0,0,0,0]}' > zero.jsonl
run 1 import --store s --first-label 9000 zero.jsonl
says err "row 0 at line 1: norm 0: a zero vector"
run 1 search --store s --query zero.jsonl
says err "zero.jsonl"
echo '{"vector":[0,0,0,0,0,0,0,x]}' > broken.jsonl
run 1 import --store s broken.jsonl
says err "broken.jsonl: row 0 at line 1: not JSON"

# Labels.
printf '1\n2\n' > labels.txt
run 1 import --store s --labels labels.txt base.jsonl
says err "2 labels"
says err "500 rows"
printf '1\ntwo\n' > labels.txt
run 1 import --store s --labels labels.txt base.jsonl
says err "line 2"
run 1 import --store s --first-label 5 bad.jsonl
says err "its rows carry labels"
# A label twice in one batch: the last wins.
printf '{"label":1,"vector":[1,0]}\n{"label":1,"vector":[0,1]}\n' > twice.jsonl
run 0 import --store twice twice.jsonl --json
says out '"repeated":1'
run 0 get --store twice 1 --json
says out '{"label":1,"vector":[0,1]}'

# Options that disagree with the stored ones.
run 1 import --store s --M 32 base.jsonl
says err "--M is 32, the index was made with 16"
run 1 import --store s --metric l2 base.jsonl
says err "--metric is l2, the index was made with cosine"
run 1 import --store s --quantization none base.jsonl
says err "--quantization is none, the index was made with int8"
run 1 import --store s --index new --M 64 --ef-construction 63 base.jsonl
says err "ef_construction 63 is outside 64 to 10000"

# Stores.
run 2 stats --store nowhere
says err "not_found"
[ ! -e nowhere ] || fail "a reading command made a store"
run 2 validate --store nowhere
run 2 stats --store s --index nothing
says err "not_found"
run 2 stats --store base.jsonl
run 2 validate --store base.jsonl
mkdir other && echo hello > other/file.txt
run 2 import --store other base.jsonl
run 2 stats --store other
run 1 backup --store s other
mkdir locked && chmod a-w locked
if [ "$(id -u)" != 0 ]; then
  run 2 import --store locked/s base.jsonl
else
  echo "skipped: read-only folder, as root writes anywhere"
fi

# Searches.
run 0 search --store s --label 1 -k 0
says out "0 found"
run 0 search --store s --label 1 -k 20 --ef 5
says out "20 found"
run 0 search --store s --label 1 -k 5000
says out "found"
printf '\x01\x00\x00\x00\x00\x00\x00\x00' > one.ivecs
run 1 search --store s --query base.jsonl --truth one.ivecs -k 1
says err "1 rows"
says err "500 queries"
head -1 base.jsonl > one.jsonl
run 1 search --store s --query one.jsonl --truth one.ivecs -k 2
says err "k is 2"
run 1 search --store s
says err "--query"

# An index in which nothing lives.
run 0 import --store bare one.jsonl
run 0 erase --store bare 0
run 0 search --store bare --query one.jsonl
says out "0 found"
run 0 recall --store bare
run 0 validate --store bare --deep
run 0 rebuild --store bare

# Usage: CLI11's own codes.
"$vicinal" > out 2> err && fail "no subcommand is accepted"
"$vicinal" import > out 2> err
[ $? -ge 100 ] || fail "missing options: exit code below 100"
"$vicinal" import --store s --metric hamming base.jsonl > out 2> err
[ $? -ge 100 ] || fail "an unknown metric: exit code below 100"
says err "hamming"
run 1 erase --store s
says err "no labels"
finish
