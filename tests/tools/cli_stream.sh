# An index as bytes: saved to a file and through a pipe, loaded into another store; what is no index is refused.
. "$(dirname "$0")/cli.sh"

random_jsonl 1500 8 1 1000 > base.jsonl
run 0 import --store s base.jsonl --metric l2 --M 12
run 0 save --store s --out index.bin
says out "saved 1,500 vectors of s (index default) to index.bin"
run 0 load --store t --index copy index.bin
says out "loaded 1,500 vectors from index.bin into t (index copy)"
run 0 stats --store t --json
says out '"metric":"l2"'
says out '"M":12'
says out '"live":1500'
for label in 1000 1777 2499; do
  run 0 get --store s "$label" --json && mv out one
  run 0 get --store t "$label" --json
  same out one
done
run 0 validate --store t --deep

# Through a pipe, as bytes that are the same.
"$vicinal" save --store s -o - 2>err | cmp -s - index.bin || fail "standard output has other bytes"
"$vicinal" save --store s -o - | "$vicinal" load --store u - --json >out 2>err || fail "load from a pipe"
says out '"live":1500'

# A few, which are not worth a graph.
head -40 base.jsonl > few.jsonl
run 0 import --store f few.jsonl
run 0 save --store f --out few.bin --json
says out '"live":40'
run 0 load --store f --index again few.bin
run 0 get --store f --index again 1000

# Refused, and nothing is made.
run 2 load --store t --index copy index.bin
says err "holds 1500 vectors"
head -c 50000 index.bin > cut.bin
run 1 load --store v cut.bin
says err "cut.bin: the stream ends after 50000 bytes"
{ head -c 3000 index.bin; printf 'x'; tail -c +3002 index.bin; } > changed.bin
cmp -s changed.bin index.bin && fail "nothing was changed"
run 1 load --store v changed.bin
says err "checksum"
{ cat index.bin; echo; } > long.bin
run 1 load --store v long.bin
says err "1 bytes follow the index"
run 1 load --store v base.jsonl
says err "is no index"
run 1 load --store v absent.bin
[ ! -e v ] || fail "a store was made for nothing"
run 2 save --store absent --out x.bin
finish
