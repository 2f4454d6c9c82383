# The scripts of bench/ say what is wrong with their arguments before they install or build anything.
root=$2
. "$(dirname "$0")/../tools/cli.sh"

# script CODE NAME ARGUMENTS...: as run, for bench/NAME.
script() {
  local want=$1
  shift
  bash "$root/bench/$1" "${@:2}" >out 2>err </dev/null
  local got=$?
  [ "$got" = "$want" ] || fail "exit code $got, not $want: bench/$*"
}

# An option that is the last word, of which a value is wanted: usage, not bash's own message.
while read -r name options; do
  for option in $options; do
    script 2 "$name" "$option"
    says err "$option: its value is missing"
    grep -qE "(usage: bench/)?$name .*--" err || fail "no usage of $name: $(cat err)"
    grep -q unbound err && fail "bash's own message: $(cat err)"
  done
done <<'SCRIPTS'
compare_peers --seconds --engines --threads --also-k --graphs --out --build
decision_record --sizes --out --build
kernels_report --json --filter --out --build
redis/run --size --dimension --clients --writers --seconds --ef --json --build
redis/cluster --size --dimension --slices --clients --seconds --ef --move --kills --out --build
bindings/run --rows --dimension --rounds --build
SCRIPTS

script 2 bindings/rust.sh
says err "usage: rust.sh WORK LIBRARY"

mkdir -p "a b/set" c/set c/other
script 2 compare_peers c/other missing
says err "missing: no such folder"
script 2 compare_peers "a b/set" c/other c/set/
says err "c/set/: a second folder of the name set"
finish
