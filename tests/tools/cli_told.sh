# What is done is told first, then what failed: a checkpoint that the disk refuses at closing hides nothing.
. "$(dirname "$0")/cli.sh"

random_jsonl 4000 32 1 > base.jsonl
run 0 import --store s base.jsonl
seq 0 2 3999 > even.txt

# The file may not grow any more: the erasure still fits, what closing writes does not. Where the limit must lie
# for that depends on the file's free pages, so it is looked for.
size=$(($(stat -c %s s/data.mdb) / 1024))
found=no
for more in 0 4 8 12 16 20 24 32 40 48 64 96 128; do
  rm -rf t
  cp -r s t
  (ulimit -f $((size + more)); "$vicinal" erase --store t --labels even.txt > out 2> err)
  code=$?
  if grep -qF "erased 2,000 of 2,000 labels, 2,000 live" out && [ "$code" != 0 ]; then
    found=yes
    [ "$code" = 1 ] || fail "exit code $code, not 1"
    says err "the checkpoint failed"
    says err "nothing is lost"
    run 0 stats --store t --json
    says out '"live":2000'
    run 1 get --store t 2
    run 0 get --store t 3
    run 0 checkpoint --store t
    run 0 validate --store t --deep
    says out "sound"
    break
  fi
done
[ "$found" = yes ] || fail "no limit at which the erasure is stored and the checkpoint is not"
finish
