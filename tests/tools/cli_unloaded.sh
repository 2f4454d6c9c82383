# get, stats, list and dump meta read the file, not the index: they answer as the loaded index does, in every state
# that a journal can be in, and a reader who links the journal again is told of it.
. "$(dirname "$0")/cli.sh"

# agree STORE: what is read from records is what the loaded index says.
agree() {
  run 0 dump --store "$1" vectors
  sort out > loaded
  run 0 stats --store "$1" --load --json
  local numbers='"(live|tombstones|free_slots|levels)":[0-9]+|"nodes_by_level":\[[0-9,]*\]'
  grep -oE "$numbers" out > from_memory
  run 0 stats --store "$1" --json
  grep -oE "$numbers" out > from_file
  same from_memory from_file
  run 0 dump --store "$1" meta
  grep -oE "$numbers" out > from_file
  same from_memory from_file
  # Every label that is or was there.
  "$vicinal" get --store "$1" --json $(seq 0 1299) > out 2> err
  sort out > got
  same got loaded
  [ "$(grep -c 'not_found' err)" = $((1300 - $(wc -l < loaded))) ] || fail "not every absent label is said"
}

random_jsonl 1000 16 1 0 > base.jsonl
run 0 import --store s base.jsonl
agree s
run 0 erase --store s $(seq 0 3 600)
agree s
random_jsonl 300 16 2 500 > again.jsonl
run 0 import --store s again.jsonl --batch 100
agree s
run 0 import --store s base.jsonl
agree s
run 0 repair --store s
agree s
run 0 import --store s again.jsonl
agree s

# A process that is killed leaves a journal: rows in entries and rows of batches.
random_jsonl 4000 16 3 300 > many.jsonl
"$vicinal" import --store s many.jsonl --batch 50 > out 2> err &
for _ in $(seq 200); do
  sleep 0.05
  run 0 stats --store s --json
  grep -qE '"rows_to_link":[1-9]' out && break
done
kill -KILL $! 2> /dev/null
wait 2> /dev/null
run 0 stats --store s --json
if grep -qE '"rows_to_link":[1-9]' out; then
  run 0 search --store s --label 300 -k 1
  says err "rows since its last checkpoint are linked anew"
  says err "vicinal checkpoint --store s --index default"
  run 0 dump --store s vectors
  sort out > loaded
  "$vicinal" get --store s --json $(seq 0 4299) 2> err | sort > got
  same got loaded
  run 0 checkpoint --store s
  run 0 search --store s --label 300 -k 1
  grep -q "linked anew" err && fail "said after the checkpoint, too"
  run 0 stats --store s --json
  says out '"rows_to_link":0'
else
  echo "not killed in time: the import was over"
fi

run 0 get --store s 999
run 1 get --store s 9999 999
says out "999:"
says err "9999"
run 2 get --store s --index none 1
run 2 dump --store s --index none meta
run 2 stats --store s --index none
finish
