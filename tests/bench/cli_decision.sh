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
# Idle searches are as warm as the others, so they last as long: more than one pass of 20.
grep -q '"idle_warm": true' result.json || fail "no mark of warm idle searches"
grep -A1 '"search_idle"' result.json | sed -n 's/.*"count": \([0-9]*\),/\1/p' >counts
[ "$(wc -l <counts)" = 8 ] || fail "not eight idle figures: $(cat counts)"
awk '$1 <= 40 { exit 1 }' counts || fail "idle searches: $(cat counts)"
grep -q 'cold pass' doc.md && fail "the idle columns are called cold"
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
# A budget that is used up leaves nothing, and is not one without a limit.
for budget in 0 -20; do
  "$decision" --sizes 100 --crossover-sizes 20 --dimension 24 --singles 10 --queries 20 \
    --window 0.1 --scratch scratch --shapes uniform "--budget=$budget" --json none.json \
    >out 2>err </dev/null || fail "exit code $? with a budget of $budget: $(cat err)"
  for part in "crossover at 20" "memory at 100" "store at 100"; do
    says out "- uniform, $part: left out"
  done
  grep -q '"runs": \[\]' none.json || fail "a budget of $budget: something was measured"
done
"$decision" --report again.md >out 2>err </dev/null && fail "takes a file that is no result"
says err "not a result"
finish
