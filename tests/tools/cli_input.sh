# What import, search and erase read: every number of npy, bytes behind a count, gzip, pipes and standard input; and
# refusals that name the file's row and what was stored before it.
. "$(dirname "$0")/cli.sh"

random_jsonl 300 4 1 > base.jsonl
run 0 import --store s base.jsonl
run 0 dump --store s vectors --format fvecs --out base.fvecs --labels-out labels.txt
run 0 dump --store s vectors --out rows.jsonl
sort rows.jsonl > expected

# same_vectors STORE: it holds what s holds.
same_vectors() {
  run 0 dump --store "$1" vectors
  sort out > got
  same got expected
}

# pipe CODE ARGUMENTS... < FILE: as run, with standard input.
pipe() {
  local want=$1
  shift
  "$vicinal" "$@" > out 2> err
  local got=$?
  [ "$got" = "$want" ] || fail "exit code $got, not $want: vicinal $*"
}

# gzip of any of them, by ending and by content.
for file in rows.jsonl base.fvecs labels.txt; do gzip -kn "$file"; done
run 0 import --store g1 rows.jsonl.gz
same_vectors g1
run 0 import --store g2 base.fvecs.gz --labels labels.txt.gz
same_vectors g2
cp rows.jsonl.gz unmarked.jsonl
run 0 import --store g3 unmarked.jsonl
same_vectors g3
cat rows.jsonl.gz rows.jsonl.gz > twice.jsonl.gz
run 0 import --store g4 twice.jsonl.gz --json
says out '"imported":600'
same_vectors g4
run 0 search --store s --query base.fvecs.gz -k 1 --json
[ "$(wc -l < out)" = 300 ] || fail "not a line a query"
run 0 erase --store g4 --labels labels.txt.gz
says out "erased 300 of 300"
head -c 700 rows.jsonl.gz > cut.jsonl.gz
run 1 import --store none cut.jsonl.gz
says err "cut.jsonl.gz: gzip:"
cp rows.jsonl plain.jsonl.gz
run 1 import --store none plain.jsonl.gz
says err "it is not packed"
{ head -c 1500 rows.jsonl.gz; printf 'XXXX'; tail -c +1505 rows.jsonl.gz; } > bad.jsonl.gz
run 1 import --store none bad.jsonl.gz
: > empty.jsonl.gz
run 1 import --store none empty.jsonl.gz
says err "the file is empty"
[ ! -e none ] || fail "damaged gzip made a store"
TMPDIR=/nowhere run 1 import --store none rows.jsonl.gz
says err "/nowhere"

# Standard input and pipes.
pipe 0 import --store p1 --format jsonl - < rows.jsonl
same_vectors p1
cat rows.jsonl | pipe 0 import --store p2 - --format jsonl
same_vectors p2
cat rows.jsonl.gz | pipe 0 import --store p3 - --format jsonl
same_vectors p3
cat base.fvecs.gz | pipe 0 import --store p4 - --format fvecs.gz --labels labels.txt
same_vectors p4
cat labels.txt | pipe 0 import --store p5 base.fvecs --labels -
same_vectors p5
{ echo skipped; cat rows.jsonl; } > later.jsonl
{ read -r _; pipe 0 import --store p6 - --format jsonl; } < later.jsonl
same_vectors p6
run 0 import --store p7 --format fvecs <(cat base.fvecs) --labels <(cat labels.txt)
same_vectors p7
head -3 rows.jsonl | pipe 0 search --store s --query - --format jsonl -k 1 --json
[ "$(wc -l < out)" = 3 ] || fail "not a line a query"
printf '1\n2\n' | pipe 0 erase --store p1 --labels -
says out "erased 2 of 2"
pipe 1 import --store none - < rows.jsonl
says err "--format"
pipe 1 import --store none - --format fvecs --labels - < base.fvecs
says err "only once"
pipe 1 import --store none - --format jsonl < /dev/null
says err "standard input: byte 0: the file is empty"
"$vicinal" import --store none - --format csv > out 2> err < rows.jsonl
[ $? -ge 100 ] || fail "an unknown format is no usage error"
says err '"csv" is no format'
[ ! -e none ] || fail "a refusal made a store"
# The name says less than --format.
cp base.fvecs base.data
run 0 import --store p8 base.data --format fvecs --labels labels.txt
same_vectors p8

# npy of other numbers: converted with a line that says so, or refused with the command that converts.
npy() {  # npy DESCR SHAPE ORDER BYTES
  local head="{'descr': '$1', 'fortran_order': $3, 'shape': $2, }"
  printf '\x93NUMPY\x01\x00'
  printf "\\x$(printf %02x ${#head})\\x00%s" "$head"
  printf "$4"
}
npy '<f8' '(1, 2)' False '\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\x40' > f8.npy
run 0 import --store n1 f8.npy
says err "f8.npy: elements are '<f8', rounded to float32"
run 0 get --store n1 0
says out "0: 1 2"
npy '|i1' '(2, 2)' False '\x01\xff\x7f\x80' > i1.npy
run 0 import --store n2 i1.npy
says err "elements are '|i1', converted to float32"
run 0 get --store n2 0 1
says out "0: 1 -1"
says out "1: 127 -128"
npy '>u2' '(1, 2)' False '\x01\x00\x00\x02' > u2.npy
run 0 import --store n3 u2.npy
says err "'>u2'"
run 0 get --store n3 0
says out "0: 256 2"
npy '<f4' '(1, 1)' True '\x00\x00\x80\x3f' > fortran.npy
run 1 import --store none fortran.npy
says err "python3 -c"
npy "$(printf '\x1b]0;owned\x07\x1b[2J1m')" '(1, 1)' False '\x00' > escapes.npy
run 1 import --store none escapes.npy
says err "elements are '?]0;owned??[2J1m'"
npy '<c8' '(1, 1)' False '\x00\x00\x80\x3f\x00\x00\x80\x3f' > "com'plex.npy"
run 1 import --store none "com'plex.npy"
says err "python3 -c"
[ ! -e none ] || fail "a refusal made a store"

# Refusals name the row of the file and what was stored before it.
random_jsonl 250 4 9 1000 > head.jsonl
random_jsonl 20 4 10 2000 > tail.jsonl
count=0
while IFS='|' read -r line message; do
  count=$((count + 1))
  { cat head.jsonl; echo "$line"; cat tail.jsonl; } > bad.jsonl
  run 1 import --store r$count bad.jsonl --batch 100
  says err "row 250 at line 251: $message"
  says err "rows 0 to 199 were imported"
  says err "nothing "
  says out "200 durable"
  run 0 stats --store r$count --json
  says out '"live":200'
  run 1 import --store q$count bad.jsonl
  says err "row 250 at line 251: $message"
  says err "nothing was imported"
  [ ! -e q$count ] || fail "a refused first batch made a store"
done << 'ROWS'
{"label":1,"vector":[1,2,3,1e400]}|component 3 is 1e400, out of float32's range
{"label":1,"vector":[1,2,3,-1e39]}|component 3 is -1e39, out of float32's range
{"label":1,"vector":[1,2,3,NaN]}|not JSON at column
{"label":1,"vector":[1,2,3]}|dimension 3, line 1 has 4
{"label":1,"vector":[0,0,0,0]}|norm 0
{"label":1,"vector":[1e-45,0,0,0]}|norm
{"label":-1,"vector":[1,2,3,4]}|label -1 is negative
{"label":1e30,"vector":[1,2,3,4]}|label 1e30
{"vector":[1,2,3,4]}|no label
{"label":1}|no "vector"
nothing|not JSON
ROWS
run 1 search --store s --query bad.jsonl
says err "row 250 at line 251"
{ head -299 base.jsonl; echo '{"vector":[0,0,0,0]}'; } > zero.jsonl
run 1 search --store s --query zero.jsonl
says err "row 299 at line 300: norm 0"
{ head -c $((299 * 20)) base.fvecs; printf '\x04\x00\x00\x00\x00\x00\x80\x3f\x00\x00\xc0\x7f\x00\x00\x80\x3f\x00\x00\x80\x3f'; } > nan.fvecs
run 1 search --store s --query nan.fvecs
says err "row 299 at byte 5980: component 1 is nan"
run 1 import --store v nan.fvecs --batch 50
says err "row 299 at byte 5980: component 1 is nan"
says err "nothing of rows 250 to 299 was imported, rows 0 to 249 were imported"

# A long text in a line.
{
  printf '{"label":5,"vector":[1,2,3,4],"text":"'
  head -c 9000000 /dev/zero | tr '\0' 'x'
  printf '"}\n'
} > long.jsonl
run 0 import --store l long.jsonl
run 0 get --store l 5
says out "5: 1 2 3 4"

# recall says how many samples it had.
run 0 recall --store s
says out "(300 samples"
run 0 recall --store s --samples 40 --json
says out '"samples":40,'
run 0 recall --store s --samples 5000 --json
says out '"samples":300,'
finish
