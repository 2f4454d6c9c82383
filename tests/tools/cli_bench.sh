# vicinal-bench on small data: every subcommand runs, its lines have their keys, recall is there.
bench=$2
. "$(dirname "$0")/cli.sh"

# measure CODE ARGUMENTS...: as run, for vicinal-bench.
measure() {
  local want=$1
  shift
  "$bench" "$@" >out 2>err </dev/null
  local got=$?
  [ "$got" = "$want" ] || fail "exit code $got, not $want: vicinal-bench $*"
}

random_jsonl 3000 16 1 > base.jsonl
random_jsonl 50 16 2 > query.jsonl
measure 0 truth --base base.jsonl --query query.jsonl -k 20 --out truth.ivecs
[ "$(wc -c < truth.ivecs)" = $((50 * 84)) ] || fail "size of truth.ivecs"

keys='{"engine":,"dataset":,"n":,"dim":,"M":,"ef_construction":,"threads":,"target":,"quantization":,"storage":,"build_s":,"inserts_per_s":,"peak_rss_mb":,"bytes_per_vector":}'
for place in "" "--store s"; do
  measure 0 build --base base.jsonl --query query.jsonl --truth truth.ivecs --ef 40,400 $place
  got=$(head -1 out | sed -E 's/:("[^"]*"|[0-9.e+-]+)/:/g')
  [ "$got" = "$keys" ] || fail "keys of the first line: $got"
  [ "$(wc -l < out)" = 3 ] || fail "not a line an ef"
  sed -n 2p out > line && says line '{"ef":40,"recall":'
  says line '"qps":'
  says line '"p50_us":'
  says line '"p99_us":'
  says line '"distances_per_query":'
  awk -F'[:,]' 'NR == 3 { exit !($4 >= 0.99) }' out || fail "recall at ef 400 below 0.99"
done

# The truth is right: the tool's exact search agrees with it.
run 0 import --store t base.jsonl
run 0 search --store t --query query.jsonl --truth truth.ivecs --exact
says out "recall@10 1.0000"

measure 0 insert --base base.jsonl --preload 2500 --extra 100
says out '"p99_us":'
measure 0 insert --base base.jsonl --preload 2500 --extra 20 --store i
says out '"durability":"full"'
measure 1 insert --base base.jsonl --preload 2500
says err "3000 rows, 3500 are wanted"
measure 0 rebuild --base base.jsonl --preload 2500 --batch 100
says out '"ratio":'
measure 0 rebuild --base base.jsonl --preload 2500 --batch 100 --store r
says out '"durability":"full"'
measure 0 churn --base base.jsonl --live 1000 --rounds 3 --fresh
[ "$(grep -c '"unreachable":0' out)" = 3 ] || fail "not three rounds with all reachable"
measure 0 churn --base base.jsonl --live 1000 --rounds 2 --writers 4 --searchers 2 --store c
[ "$(grep -c '"longest_pause_ms":' out)" = 2 ] || fail "not two rounds"
measure 0 many --store m --indexes 12 --at-once 5 --rows 4 --dimension 8 --searches 50 --commits 5 --durability none
for key in made_per_s disk_bytes_each memory_bytes_each search_p50_us search_p99_us dropped_per_s; do
  says out "\"$key\":"
done
measure 0 stream --rows 800 --dimension 8 --repeats 2
says out '"load_by_copy":'
says out '"beside_batch_longest_ms":'
measure 1 churn --base base.jsonl --live 2900
says err "2900 live"
measure 1 build --base base.jsonl --query query.jsonl --truth truth.ivecs -k 21
says err "k is 21"
measure 1 build --base base.jsonl --query query.jsonl --truth truth.ivecs --store s
says err "a fresh one is"
finish
