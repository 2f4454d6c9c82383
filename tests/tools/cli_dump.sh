# What dump prints, and that import reads it back.
. "$(dirname "$0")/cli.sh"

random_jsonl 300 8 3 100 > base.jsonl
run 0 import --store s base.jsonl

run 0 dump --store s meta
says out '"live":300'

run 0 dump --store s vectors
sort out > first.jsonl
[ "$(wc -l < out)" = 300 ] || fail "not a line a vector"
cp out again.jsonl
run 0 import --store t again.jsonl
run 0 dump --store t vectors
sort out > second.jsonl
same first.jsonl second.jsonl

run 0 dump --store s vectors --format fvecs --out v.fvecs --labels-out l.txt
[ "$(wc -c < v.fvecs)" = $((300 * 36)) ] || fail "size of v.fvecs"
run 0 import --store u --labels l.txt v.fvecs
run 0 dump --store u vectors
sort out > third.jsonl
same first.jsonl third.jsonl

run 0 dump --store s graph
[ "$(grep -c '"links"' out)" = 300 ] || fail "not a line a node"
run 0 dump --store s graph --label 100
says out '"label":100'
run 0 dump --store s graph --format dot --label 100 --depth 2 --out g.dot
says g.dot "digraph"
says g.dot '[label="100" style=filled'
run 0 erase --store s 101 102 103
run 0 dump --store s graph --format dot --label 100 --depth 3
run 0 dump --store s journal
run 1 dump --store s graph --format dot
says err "--label"
run 1 dump --store s meta --format fvecs
run 1 dump --store s graph --label 7
says err "not_found"
run 1 dump --store s vectors --out none/x.jsonl
says err "none/x.jsonl"
# What was there stays where there is nothing to write.
run 0 dump --store s vectors --out keep.jsonl
cp keep.jsonl kept.jsonl
run 1 dump --store s graph --label 7 --out keep.jsonl
same keep.jsonl kept.jsonl
run 0 dump --store s graph --label 100 --out keep.jsonl
[ "$(wc -l < keep.jsonl)" = 1 ] || fail "something of before is left"
for pair in "--out x.txt --labels-out x.txt" "--labels-out -" "--out kept.jsonl --labels-out ./kept.jsonl" \
  "--out new --labels-out ./new"; do
  run 1 dump --store s vectors $pair
  says err "vectors and labels would both go to"
done
if [ -e /dev/full ]; then
  run 1 dump --store s vectors --out /dev/full
  says err "/dev/full"
fi
finish
