# From a file into a store and out again: import, search, get, erase, validate, backup, and reopening
# in between, as every command is a process of its own.
. "$(dirname "$0")/cli.sh"

random_jsonl 2000 16 1 > base.jsonl
run 0 import --store s base.jsonl --batch 300 --threads 2
says out "imported 2,000 rows"
says out "2,000 inserted"
says out "2,000 durable"

run 0 import --store s base.jsonl --json
says out '"unchanged":2000'

run 0 stats --store s --json
says out '"live":2000'
says out '"dimension":16'
says out '"metric":"cosine"'
run 0 stats --store s
says out "2,000"

# Stored vectors find themselves.
run 0 search --store s --label 77 -k 1 --json
says out '"hits":[{"label":77,'
run 0 search --store s --label 77 -k 1 --exact
says out "label 77"
head -50 base.jsonl > query.jsonl
run 0 search --store s --query query.jsonl -k 3 --ef 100 --json
[ "$(grep -c '"query":' out)" = 50 ] || fail "not one line a query"
run 0 search --store s --query query.jsonl --radius 0.0001 --json
says out '"label":49,'
# All within a radius by default; a bound says that it cut.
run 0 search --store s --label 77 --radius 2 --json --exact
[ "$(grep -o '"label":' out | wc -l)" -gt 100 ] || fail "a radius search stopped early"
says out '"cut":false'
run 0 search --store s --label 77 --radius 2 -k 3 --json
says out '"cut":true'
run 0 search --store s --label 77 --radius 2 -k 3
says out "3 found, and there are more"

# The truth of these queries at k = 1 is the row itself.
for i in $(seq 0 49); do
  printf '\x01\x00\x00\x00'
  printf "\\x$(printf '%02x' "$i")\\x00\\x00\\x00"
done > truth.ivecs
run 0 search --store s --query query.jsonl --truth truth.ivecs -k 1 --exact
says out "recall@1 1.0000"
run 0 search --store s --query query.jsonl --truth truth.ivecs -k 1 --ef 200 --json
says out '"recall":1.0'

run 0 recall --store s --samples 200 --ef 200
says out "recall@10"

# What comes out is what went in.
run 0 get --store s 0 1999 --json
{ head -1 base.jsonl; tail -1 base.jsonl; } > two.jsonl
run 0 import --store t two.jsonl
run 0 get --store t 0 1 --json
sed 's/"label":1,/"label":1999,/' out > expected
run 0 get --store s 0 1999 --json
same out expected

# Erased labels are gone, and come back.
run 0 erase --store s 77 78 123456
says out "erased 2 of 3 labels, 1,998 live"
run 1 get --store s 77
says err "not_found"
run 1 search --store s --label 77
run 0 validate --store s --deep
says out "sound"
run 0 import --store s base.jsonl --json
says out '"resurrected":2'
printf '5\n6\n7\n' > gone.txt
run 0 erase --store s --labels gone.txt --json
says out '"erased":3'

run 0 repair --store s --json
says out '"finished":true'
run 0 rebuild --store s
says out "rebuilt default"
run 0 checkpoint --store s
run 0 validate --store s --deep --repair --json
says out '"sound":true'

# A store of an earlier format is opened by nobody until it is converted.
mkdir old
cp "$(dirname "$0")/../golden/v1/data.mdb" old
run 2 stats --store old
says err "vicinal convert"
run 0 convert --store old
says out "is converted"
run 0 stats --store old
run 0 convert --store old
says out "needs no converting"
run 2 convert --store none

# A backup is a store of its own.
run 0 backup --store s copy
run 0 validate --store copy --deep
run 0 stats --store copy --json
says out '"live":1997'
run 0 search --store s --query query.jsonl -k 5 --json
mv out of_store
run 0 search --store copy --query query.jsonl -k 5 --json
same out of_store

# Several indexes in a store; labels from a file and counted from elsewhere.
random_jsonl 100 8 2 > small.jsonl
seq 1000 10 1990 > labels.txt
run 0 import --store s --index small --metric l2 --quantization none --M 8 --labels labels.txt small.jsonl
run 0 get --store s --index small 1990
run 0 import --store s --index counted --first-label 500 small.jsonl --durability none
says out "100 durable"
run 0 get --store s --index counted 599
run 0 validate --store s
says out "small: sound"
says out "counted: sound"
run 0 validate --store s --index small --json
says out '"index":"small"'

run 0 cpu
says out "*"
VICINAL_TARGET=abacus run 1 cpu
says err "valid: "
run 0 --help
says out "Exit codes"
for command in import search get erase list drop dump validate stats recall rebuild repair backup checkpoint convert cpu demo; do
  run 0 "$command" --help
  says out "--"
done
run 0 --version
finish
