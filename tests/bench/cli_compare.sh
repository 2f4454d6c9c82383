# vicinal-compare on small data: every engine runs, finds what is near, and the report is written.
# The same in motion, for a moment.
compare=$2
. "$(dirname "$0")/../tools/cli.sh"

random_jsonl 1500 16 1 > base.jsonl
random_jsonl 30 16 2 > query.jsonl
"$compare" --base base.jsonl --query query.jsonl --name small --ef 20,80,400 --repetitions 1 \
  --threads 1,2 --graphs 2 --scratch . --out result.json >out 2>err </dev/null ||
  fail "exit code $?: $(cat err)"
grep -q '^### small: 1,500 x 16' out || fail "no heading"
for engine in "vicinal int8" "vicinal float32" "hnswlib" "faiss"; do
  grep -q "^| $engine" out || fail "no line of $engine"
done
grep -q '^| hnswlib.*(2 graphs: ' out || fail "no median of two graphs"
# Ours finds every value of 1,500 x 20 (hnswlib need not).
awk -F' *[|] *' '/^\| 1,500 values x 20/ { rows = 1 }
  rows && /^\| vicinal/ { if ($3 + 0 < 0.999 || $4 + 0 <= 0) exit 1; ++found }
  /^$/ { rows = 0 } END { exit found != 2 }' out || fail "copies: $(grep -A5 'values x 20' out)"
grep -q '^Store of vicinal' out || fail "no line of the store"
# All four recalls at ef 400 are there and high: the labels of all engines are row numbers.
awk -F'[:| ]+' '/^\| 400 / { for (i = 3; i < NF; i += 2) if ($i < 0.98) exit 1; found = 1 }
  END { exit !found }' out || fail "recall at ef 400: $(grep '^| 400 ' out)"
"$compare" --report result.json >out 2>err </dev/null || fail "exit code $? of --report"
grep -q '^| batch build, two threads against one' out || fail "no targets"
grep -q 'In motion' out && fail "a section without its measurement"
cp out rest.out

# In motion, added to what was measured at rest: that stays as it is.
in_motion() {
  "$compare" --base base.jsonl --query query.jsonl --name small --ef 20,80,400 --repetitions 1 \
    --threads 2 --scratch . --live --seconds 0.1 "$@" >out 2>err </dev/null ||
    fail "exit code $? of --live: $(cat err)"
}
in_motion --add --out result.json
"$compare" --report result.json >out 2>err </dev/null || fail "exit code $? of --report"
head -c "$(stat -c %s rest.out)" out | cmp -s - rest.out || fail "--live changed the other tables"
[ "$(grep -c '^## In motion$' out)" = 1 ] || fail "no section of motion"
for engine in "vicinal int8" "hnswlib 0.6.2, no lock" "hnswlib 0.6.2, shared mutex"; do
  grep -qF "| small | $engine |" out || fail "no line of $engine in motion"
done
# Recalls (cells 7, 10, 13 and 19) are high in every phase, which they are only by the rows that are
# live; rows were inserted; no answer was short but those of hnswlib without a lock: its search meets
# nodes that are not linked on level 0 yet.
awk -F' *[|] *' '/^\| small \|/ {
    if ($7 < 0.95 || $10 < 0.95 || $13 < 0.95 || $19 < 0.95 || $20 + 0 <= 0) exit 1
    ++found
  } END { exit found != 3 }' out || fail "recall in motion: $(grep '^| small |' out)"
grep -o 'Short answers of [^:]*' out | grep -qv 'no lock, writer' &&
  fail "short answers: $(grep 'Short answers' out)"

# By itself, for one engine; and other data is not mixed with it.
in_motion --engines vicinal --out alone.json
"$compare" --report alone.json >out 2>err </dev/null || fail "exit code $? of --report"
[ "$(grep -c '^| small |' out)" = 1 ] || fail "not one engine in motion"
"$compare" --base query.jsonl --query query.jsonl --name other --live --add --out alone.json \
  >out 2>err </dev/null && fail "adds to other data"
grep -q 'nothing can be added' err || fail "message: $(cat err)"

[ -z "$(ls -d vicinal-compare-* 2>/dev/null)" ] || fail "the scratch folder is left behind"

# Truth of another base.
printf '\001\000\000\000\334\005\000\000' > one.ivecs  # a row of one neighbor, 1500
head -1 query.jsonl > one.jsonl
"$compare" --base base.jsonl --query one.jsonl --truth one.ivecs -k 1 --out other.json >out 2>err \
  </dev/null && fail "takes a neighbor that the base has not"
says err "one.ivecs: row 0: neighbor 1500, the base has 1500 rows, 0 to 1499"

# A signal while a child fills a store: the folder goes, what was measured before stays.
cp alone.json before.json
random_jsonl 20000 16 3 > long.jsonl
"$compare" --base long.jsonl --query query.jsonl --name small --engines vicinal --threads 2 \
  --scratch . --out alone.json >out 2>err </dev/null &
asked=$!
for ((tenth = 0; tenth < 1200; tenth++)); do
  [ -n "$(ls -d vicinal-compare-* 2>/dev/null)" ] && break
  kill -0 $asked 2>/dev/null || break
  sleep 0.1
done
kill -TERM $asked
wait $asked
got=$?
[ $got = 1 ] || fail "exit code $got after a signal"
says err "interrupted"
[ -z "$(ls -d vicinal-compare-* 2>/dev/null)" ] || fail "a signal leaves the scratch folder behind"
same alone.json before.json

"$compare" --report query.jsonl >out 2>err </dev/null && fail "takes a file that is no result"
grep -q 'not a result' err || fail "message: $(cat err)"
"$compare" >out 2>err </dev/null && fail "runs without data"
finish
