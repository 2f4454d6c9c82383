# vicinal-bench recall-target on small data: a line a target, with the recall that was reached.
bench=$2
. "$(dirname "$0")/../tools/cli.sh"

# targets CODE ARGUMENTS...: as run, for vicinal-bench recall-target.
targets() {
  local want=$1
  shift
  "$bench" recall-target --base base.jsonl --writes 20 "$@" >out 2>err </dev/null
  local got=$?
  [ "$got" = "$want" ] || fail "exit code $got, not $want: vicinal-bench recall-target $*"
}

# The lines of `out`: of the index, of each target named, of upserts; each key with a number behind.
check_lines() {
  local target key
  [ "$(wc -l < out)" = $(($# + 2)) ] || fail "$(wc -l < out) lines, not $(($# + 2))"
  for target in "$@"; do
    grep "^{\"recall_target\":$target," out > line || { fail "no line of $target"; continue; }
    for key in reached difference reached_last own_vectors queries_compared ef ef_least ef_most qps qps_x_ef qps_x_ef_by_cpu \
      learner_cpu_share; do
      grep -qE "\"$key\":-?[0-9]" line || fail "$target: $key is not a number"
    done
    # What is asked of 100 queries is not 0.1 below; an ef of k may be far above.
    awk -F'[:,]' '{ exit !($4 >= $2 - 0.1 && $4 <= 1 && $14 >= 10) }' line || fail "$(cat line)"
  done
  tail -1 out > line && says line '"upsert_p50_x_ef":'
}

random_jsonl 3000 16 1 > base.jsonl
random_jsonl 100 16 2 > query.jsonl
targets 0 --queries 100 --targets 0.9,0.99
check_lines 0.9 0.99
sed -n 1p out > line && says line '"n":2860,'
targets 0 --query query.jsonl --targets 0.95 --store s
check_lines 0.95
sed -n 1p out > line && says line '"n":2960,'
targets 1 --queries 2960
says err "3000 rows, of which 3000 are to be held out"
targets 105 --targets 1.5
says err '"1.5" is not a number from 0.01 to 0.9999'
for list in 0.9, ,0.9 0.9,0x1 nan '0.9 0.95' '[0.9,0.95]'; do
  targets 105 --targets "$list"
done
finish
