# vicinal-bench-decision at tiny sizes: every table is there, and can be made again from the JSON.
decision=$2
. "$(dirname "$0")/../tools/cli.sh"

mkdir scratch
"$decision" --sizes 200,400 --crossover-sizes 20,60 --dimension 24 --singles 10 --queries 20 \
  --window 0.1 --scratch scratch --json result.json --markdown doc.md --plots . --commit abc \
  >out 2>err </dev/null || fail "exit code $?: $(cat err)"
cp doc.md out
for heading in "1. Rebuild on upsert" "2. Incremental" "3. The crossover" "4. The record's triggers" \
  "5. Quality and latency"; do
  says out "## $heading"
done
says out "| commit | abc |"
says out "another machine"
# The triggers' row of 500,000 vectors says "size not measured": no cell of the other tables may.
grep -qE '\| not measured' doc.md && fail "something was not measured"
grep -q 'has not ended' doc.md && fail "the run says that it has not ended"
grep -q '"complete": true' result.json || fail "the JSON is not complete"
[ -z "$(ls -A scratch)" ] || fail "the scratch folder is left behind"
if command -v gnuplot >/dev/null; then
  [ -s decision-uniform.svg ] && [ -s decision-clustered.svg ] || fail "no plots"
fi

"$decision" --report result.json --markdown again.md --plots . >out 2>err </dev/null ||
  fail "exit code $? of --report"
same doc.md again.md
# A size that would not fit the budget is named, not guessed.
"$decision" --sizes 100,2000 --crossover-sizes 20 --dimension 24 --singles 10 --queries 20 \
  --window 0.1 --scratch scratch --shapes uniform --budget 0.001 >out 2>err </dev/null ||
  fail "exit code $? with a budget"
grep -q '^- uniform, store at 2,000: left out' out || fail "what is left out is not named"
"$decision" --report again.md >out 2>err </dev/null && fail "takes a file that is no result"
says err "not a result"
finish
