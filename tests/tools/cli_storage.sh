# Vectors stored as float16 and int8: imported, told, dumped, saved, and refused where options differ.
. "$(dirname "$0")/cli.sh"

random_jsonl 1200 24 1 1000 > base.jsonl
run 0 import --store plain base.jsonl
for storage in float16 int8; do
  run 0 import --store "$storage" base.jsonl --storage "$storage"
  says out "1,200 inserted"
  run 0 import --store "$storage" base.jsonl --json
  says out '"unchanged":1200'
  run 0 stats --store "$storage" --json
  says out "\"storage\":\"$storage\""
  run 0 stats --store "$storage"
  says out "$storage"
  run 0 list --store "$storage"
  says out "stored as $storage"
  run 0 dump --store "$storage" meta
  says out "\"storage\":\"$storage\""
  run 0 recall --store "$storage" --samples 200 --ef 200
  says out "recall@10"
  run 0 validate --store "$storage" --deep

  # What is printed is what is stored: read again it is unchanged, and another store gets the same.
  run 0 dump --store "$storage" vectors -o "$storage.jsonl"
  run 0 import --store "$storage" "$storage.jsonl" --json
  says out '"unchanged":1200'
  run 0 import --store "again-$storage" "$storage.jsonl" --storage "$storage"
  for label in 1000 1777 2199; do
    run 0 get --store "$storage" "$label" --json && mv out one
    run 0 get --store "again-$storage" "$label" --json
    same out one
    run 0 get --store plain "$label" --json
    ! cmp -s out one || fail "$storage stores what float32 stores"
  done

  run 0 save --store "$storage" --out "$storage.bin"
  run 0 load --store "loaded-$storage" "$storage.bin"
  run 0 stats --store "loaded-$storage" --json
  says out "\"storage\":\"$storage\""
  run 0 get --store "$storage" 1777 --json && mv out one
  run 0 get --store "loaded-$storage" 1777 --json
  same out one

  run 1 import --store "$storage" base.jsonl --storage float32
  says err "--storage is float32, the index was made with $storage"
done
run 0 list --store plain
! grep -q "stored as" out || fail "float32 is nothing to tell"
[ "$(stat -c %s plain/data.mdb)" -gt "$(stat -c %s float16/data.mdb)" ] || fail "float16 is no smaller"
[ "$(stat -c %s float16/data.mdb)" -gt "$(stat -c %s int8/data.mdb)" ] || fail "int8 is no smaller"

echo '{"vector":[1,-99999]}' > large.jsonl
run 1 import --store large large.jsonl --storage float16
says err "large.jsonl: row 0 at line 1: component 1 is -99999, beyond 65504"
[ ! -e large ] || fail "a store was made for nothing"
{ for i in $(seq 17); do echo "{\"vector\":[1,$i]}"; done; cat large.jsonl; } > later.jsonl
run 1 import --store later later.jsonl --storage float16 --batch 10
says err "later.jsonl: row 17 at line 18: component 1 is -99999, beyond 65504"
says err "rows 0 to 9 were imported"
run 105 import --store large large.jsonl --storage float8
says err "\"float8\" is none of float32|float16|int8"

finish
