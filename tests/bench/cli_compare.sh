# vicinal-compare on small data: every engine runs, finds what is near, and the report is written.
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
grep -q '^Store of vicinal' out || fail "no line of the store"
# All four recalls at ef 400 are there and high: the labels of all engines are row numbers.
awk -F'[:| ]+' '/^\| 400 / { for (i = 3; i < NF; i += 2) if ($i < 0.98) exit 1; found = 1 }
  END { exit !found }' out || fail "recall at ef 400: $(grep '^| 400 ' out)"
"$compare" --report result.json >out 2>err </dev/null || fail "exit code $? of --report"
grep -q '^| batch build, two threads against one' out || fail "no targets"
[ -z "$(ls -d vicinal-compare-* 2>/dev/null)" ] || fail "the scratch folder is left behind"

"$compare" --report query.jsonl >out 2>err </dev/null && fail "takes a file that is no result"
grep -q 'not a result' err || fail "message: $(cat err)"
"$compare" >out 2>err </dev/null && fail "runs without data"
finish
