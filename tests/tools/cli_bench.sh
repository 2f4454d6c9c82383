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
# A rebuild of 800 rows is over long before 200 pauses are: it is begun again.
sed -n 's/.*"rebuilds_begun":\([0-9]*\),.*/\1/p' out >count
[ "$(cat count)" -gt 1 ] || fail "rebuilds beside the pauses: $(cat count)"
measure 1 churn --base base.jsonl --live 2900
says err "2900 live"
measure 1 build --base base.jsonl --query query.jsonl --truth truth.ivecs -k 21
says err "k is 21"
measure 1 churn --base base.jsonl --live 1000 -k 2147483647
says err "k is 2147483647, 1000 vectors live"
# Another base's truth.
head -100 base.jsonl > small.jsonl
measure 1 build --base small.jsonl --query query.jsonl --truth truth.ivecs
grep -qE 'truth.ivecs: row [0-9]+: neighbor [0-9]+, the base has 100 rows, 0 to 99' err ||
  fail "message: $(cat err)"

# Usage, before anything is begun.
measure 105 build --base base.jsonl --query query.jsonl --truth truth.ivecs --ef 40,0
says err '"0" is not a whole number from 1 to 100000'
measure 105 many --store n --writers 100000
says err '"100000" is not a whole number from 1 to 256'
for option in --indexes --rows --dimension --at-once --searches --commits; do
  measure 105 many --store n $option 010x
  says err '"010x" is not a whole number from 1 to'
done
measure 105 stream --repeats 0
measure 105 stream --dimension -1
[ -e n ] && fail "a store is made before the options are read"

# A line that cannot be written is an error.
for command in "insert --base base.jsonl --preload 10 --extra 1" \
  "build --base base.jsonl --query query.jsonl --truth truth.ivecs" \
  "rebuild --base base.jsonl --preload 10 --batch 1" \
  "truth --base base.jsonl --query query.jsonl --out other.ivecs" \
  "churn --base base.jsonl --live 100 --rounds 1" "stream --rows 50 --dimension 4" \
  "many --store o --indexes 1 --rows 1 --dimension 4 --searches 1 --commits 1" \
  "recall-target --base base.jsonl --queries 10 --writes 5" \
  "live --base base.jsonl --query query.jsonl --seconds 0.01 --phases idle"; do
  # shellcheck disable=SC2086
  "$bench" $command >/dev/full 2>err </dev/null
  [ $? = 1 ] || fail "not exit code 1 with a full output: $command"
  says err "standard output: No space left on device"
done

# The first signal ends every command soon: exit code 1 and a message. Each has work for minutes.
random_jsonl 20000 64 3 > third.jsonl
cat third.jsonl third.jsonl third.jsonl > big.jsonl
random_jsonl 50 64 4 > query64.jsonl
measure 0 truth --base third.jsonl --query query64.jsonl -k 10 --out truth64.ivecs
slow="--base big.jsonl --M 64 --ef-construction 10000 --threads 1"
started=()
# asked NAME ARGUMENTS...: starts it; end_all sends each its signal.
asked() {
  "$bench" "${@:2}" >"out.$1" 2>"err.$1" </dev/null &
  started+=("$! $1")
}
# shellcheck disable=SC2086
{
  asked build build $slow --query query64.jsonl --truth truth64.ivecs
  asked insert insert $slow --preload 0 --extra 60000
  asked rebuild rebuild $slow --preload 10 --batch 50000
  asked truth truth --base big.jsonl --query big.jsonl -k 10 --out big.ivecs --threads 1
  asked recall-target recall-target $slow --queries 10
  asked stream stream --rows 5000 --dimension 64 --repeats 1000
  asked many many --store p --indexes 1000000 --durability none
  asked churn churn $slow --live 10000
}
sleep 3
for one in "${started[@]}"; do kill -TERM "${one% *}"; done
for one in "${started[@]}"; do
  for ((tenth = 0; tenth < 100; tenth++)); do
    kill -0 "${one% *}" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "${one% *}" 2>/dev/null && fail "${one#* } goes on after a signal"
  wait "${one% *}"
  got=$?
  [ "$got" = 1 ] || fail "exit code $got after a signal: ${one#* }: $(cat "err.${one#* }")"
  grep -qi cancel "err.${one#* }" || fail "${one#* } says after a signal: $(cat "err.${one#* }")"
done
measure 1 build --base base.jsonl --query query.jsonl --truth truth.ivecs --store s
says err "a fresh one is"
finish
