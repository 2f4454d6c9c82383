# vicinal-bench live on small data: every phase prints its line, in memory and stored.
bench=$2
. "$(dirname "$0")/../tools/cli.sh"

# live CODE ARGUMENTS...: as run, for vicinal-bench live.
live() {
  local want=$1
  shift
  "$bench" live --base base.jsonl --query query.jsonl --seconds 0.05 "$@" >out 2>err </dev/null
  local got=$?
  [ "$got" = "$want" ] || fail "exit code $got, not $want: vicinal-bench live $*"
}

random_jsonl 800 8 1 > base.jsonl
random_jsonl 30 8 2 > query.jsonl

at_rest="idle one_tombstone tombstones_5_random tombstones_20_random tombstones_50_random
  tombstones_5_near tombstones_20_near tombstones_50_near"
writing="insert_1 insert_4 insert_8 update_1 update_4 update_8 erase_1 erase_4 erase_8"
in_memory="repair rebuild rebuild_updates validate_deep batch_quarter batch_10x batch_10x_updates"
stored="checkpoint backup open_again"
keys="writers search_p50_us search_p99_us search_p999_us search_max_us search_cpu_us search_waits
  qps recall short_answers searches writes write_p50_us write_p99_us write_max_us live tombstones
  control_recall control_p50_us control_write_max_us ef"

# The lines of `out` are those of the phases named, each with every key and a number behind it.
check_phases() {
  [ "$(wc -l < out)" = $# ] || fail "$(wc -l < out) lines, not $#"
  local phase key
  for phase in "$@"; do
    grep "^{\"phase\":\"$phase\"," out > line || { fail "no line of $phase"; continue; }
    for key in $keys; do
      grep -qE "\"$key\":-?[0-9]" line || fail "$phase: $key is not a number"
    done
    for key in p50_x p99_x cpu_p50_x cpu_p99_x; do
      grep -qE "\"$key\":([0-9]|null)" line || fail "$phase: no $key"
    done
    grep -qE '"searches":0,' line && fail "$phase: nothing was searched"
    grep -qE '"dead_hits":0,' line || fail "$phase: erased labels were found"
  done
}

live 0
check_phases $at_rest $writing $in_memory
[ "$(grep -c '"p50_x_equal_recall":' out)" = 6 ] || fail "not six phases of tombstones"
[ "$(grep -c '"near_queries":' out)" = 3 ] || fail "not three phases of tombstones near queries"
sed -n 1p out > line && says line '"tombstones":0,'
sed -n 2p out > line && says line '"tombstones":1,'
live 0 --store s
check_phases $at_rest $writing $in_memory $stored
[ -e s ] && fail "the folder of the stores is left behind"

live 0 --phases insert_1,idle --preload 500
check_phases idle insert_1
says out '"live":500,'
live 1 --phases idle,none
says err 'phase "none", there are 27'
live 1 --phases backup
says err "phase backup needs --store"
live 1 --preload 790
says err "800 rows, a preload of 790"
mkdir full && touch full/file
live 1 --store full
says err "full: 1 entries"
finish
