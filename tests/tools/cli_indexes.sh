# Making, listing and dropping indexes: nothing is made before the first batch is good, and what is there can be
# seen and taken away.
. "$(dirname "$0")/cli.sh"

random_jsonl 60 4 1 > base.jsonl
random_jsonl 40 3 2 > small.jsonl

# A refused first import leaves nothing: no store, no index.
echo '{"vector":[0,0,0,0]}' > zero.jsonl
{ cat base.jsonl; echo '{"vector":[1,2,3]}'; } > ragged.jsonl
{ cat base.jsonl; echo '{"vector":[1,2,3,1e39]}'; } > large.jsonl
printf '1\n2\nx\n' > labels.txt
printf '\x02\x00\x00\x00\x00\x00\x80\x3f\x00\x00\xc0\x7f' > nan.fvecs
for file in zero.jsonl ragged.jsonl large.jsonl nan.fvecs; do
  run 1 import --store fresh "$file"
  says err "nothing was imported"
  [ ! -e fresh ] || fail "$file made a store"
done
run 1 import --store fresh zero.jsonl --M 32 --metric cosine
[ ! -e fresh ] || fail "a zero vector made a store"
run 1 import --store fresh base.jsonl --labels labels.txt
[ ! -e fresh ] || fail "a bad label made a store"
run 1 import --store fresh base.jsonl --first-label 18446744073709551600
says err "pass 2^64 - 1"
[ ! -e fresh ] || fail "labels that run out made a store"
run 1 import --store fresh base.jsonl --M 64 --ef-construction 10
says err "ef_construction"
[ ! -e fresh ] || fail "options out of range made a store"
for name in "a b" "" "x/y" "$(printf 'n%.0s' $(seq 101))"; do
  "$vicinal" import --store fresh --index "$name" base.jsonl > out 2> err
  [ $? -ge 100 ] || fail "the name \"$name\" is taken"
  [ ! -e fresh ] || fail "a bad name made a store"
done

run 0 list --store fresh-none --help
run 2 list --store fresh
run 0 import --store s base.jsonl
run 1 import --store s --index second zero.jsonl --M 32
run 0 list --store s
says out "default: 60 live, dimension 4, cosine, int8"
grep -q second out && fail "a refused import made an index"
run 0 import --store s --index second small.jsonl --M 8 --metric l2
run 0 list --store s --json
says out '{"name":"default","live":60,"options":{"dimension":4,'
says out '{"name":"second","live":40,"options":{"dimension":3,"metric":"l2","M":8,'

# stats shows them all.
run 0 stats --store s
[ "$(grep -c '^default$' out)$(grep -c '^second$' out)" = 11 ] || fail "stats does not show both"
run 0 stats --store s --json
[ "$(wc -l < out)" = 2 ] || fail "not a line an index"
run 0 stats --store s --index second --json
says out '"live":40'
[ "$(wc -l < out)" = 1 ] || fail "more than the index asked for"
run 0 stats --store s --load
says out "memory"

# drop: asks on a terminal, or is told.
run 1 drop --store s --index second
says err "say --yes"
says err "40 vectors"
run 2 drop --store s --index third --yes
says err "third"
"$vicinal" drop --store s --yes > out 2> err
[ $? -ge 100 ] || fail "drop chose an index itself"
if command -v script > /dev/null; then
  for answer in n "" no; do
    script -qec "$vicinal drop --store s --index second" /dev/null > out 2> err <<< "$answer"
    [ $? = 1 ] || fail "the answer \"$answer\" is no refusal"
    says out "Drop index second of s (40 vectors) for good?"
  done
  run 0 list --store s
  says out "second: 40 live"
  script -qec "$vicinal drop --store s --index second" /dev/null > out 2> err <<< y
  [ $? = 0 ] || fail "y drops nothing"
  run 0 import --store s --index second small.jsonl
fi
run 0 drop --store s --index second --yes
says out "dropped index second of s (40 vectors)"
run 0 list --store s
grep -q second out && fail "second is still there"
# The name is free for other options.
run 0 import --store s --index second base.jsonl --quantization none
run 0 drop --store s --index second --yes --json
says out '{"dropped":"second","vectors":60}'
run 0 drop --store s --index default --yes
run 0 list --store s
says out "no index in the store"
run 2 stats --store s
run 2 search --store s --label 1
finish
