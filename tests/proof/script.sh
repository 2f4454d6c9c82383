#!/usr/bin/env bash
# tools/proof itself, over programs that only say what such programs say: what is interrupted, damaged or
# found is never told as tried and well.
# usage: script.sh ROOT
set -euo pipefail
root="$1"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
  echo "FAILED: $1"
  failed=1
}

mkdir -p "$work/tools" "$work/bench/proof" "$work/tests/planted" "$work/build/ci" "$work/bin"
cp "$root/tools/proof" "$root/tools/soak" "$root/tools/campaign.sh" "$work/tools"
cp "$root/bench/proof_page.py" "$work/bench"
printf 'install_packages() { :; }\npackages_build=""\n' >"$work/tools/packages.sh"
printf '#!/bin/sh\nexit 0\n' >"$work/bin/cmake"
# says CAMPAIGN > PROGRAM: tells one try, and the findings in the file `findings`.
says() {
  cat <<PROGRAM
#!/usr/bin/env bash
echo "\$*" >"$work/arguments"
while [ \$# -gt 1 ]; do [ "\$1" = --report ] && report="\$2"; shift; done
sleep "\$(cat "$work/slow-$1" 2>/dev/null || echo 0)"
printf '{"campaign":"%s","seconds":1,"counts":{"tries":1},"findings":[%s]}\n' $1 "\$(cat "$work/findings")" >>"\$report"
[ ! -s "$work/findings" ]
PROGRAM
}
for name in crash power damage soak processes limits faults; do
  says $name >"$work/build/ci/vicinal-proof-$name"
done
printf '#!/bin/sh\necho "3 orders"\n' >"$work/build/ci/vicinal-test-interleaving"
{
  printf '#!/usr/bin/env bash\nif [ "$1" = --list ]; then echo pages; exit; fi\n'
  says fuzz.pages | tail -n +2
} >"$work/tools/fuzz"
printf 'a_fault vicinal-proof-crash --kills 1\n' >"$work/tests/planted/list"
printf 'One.\n--- a/kept\n+++ b/kept\n@@ -1 +1 @@\n-sound\n+broken\n' >"$work/tests/planted/a_fault.patch"
echo sound >"$work/kept"
chmod +x "$work"/bin/* "$work"/build/ci/* "$work/tools/fuzz"
export PATH="$work/bin:$PATH"
cd "$work"
printf 'build\nfindings\narguments\nslow-*\nout\nr\n' >.gitignore
git init -q .
git -c user.name=t -c user.email=t@t add .
git -c user.name=t -c user.email=t@t commit -qm one
: >findings

tools/proof --quick >out 2>&1 || fail "a quick run without findings: $(cat out)"
grep -q "0 findings left" out || fail "no page: $(cat out)"

# Found once is found until the sources change: the steps are not run anew, and it is not well.
echo '"broken"' >findings
if tools/proof --quick >out 2>&1; then fail "findings, and well"; fi
: >findings
tools/proof --quick >out 2>&1 || fail "a quick run begins anew: $(cat out)"

# Interrupted: nothing goes on, and the step that was cut off is not told.
echo "31.4$$" >slow-fuzz.pages
fuzzing() { grep -qa "[3]1\.4$$" /proc/[0-9]*/cmdline 2>/dev/null; }
tools/proof --quick >out 2>&1 &
proof=$!
for _ in $(seq 400); do
  if fuzzing; then break; fi
  sleep 0.05
done
kill -TERM $proof || true
wait $proof && fail "interrupted, and well"
for _ in $(seq 40); do
  if ! fuzzing; then break; fi
  sleep 0.05
done
if fuzzing; then fail "fuzzing goes on"; fi
grep -h '"fuzz-pages-1"' build/proof/quick-*/results.jsonl && fail "a step that was cut off is told"
rm slow-fuzz.pages

# A line that was cut off is no step, and costs no page.
commit="$(git log -1 --format=%h)"
printf '{"step": "damage-1", "campaign":"damage","seconds":1,"counts":{"tries":7},"findings":[]}\n{"step": "crash-1", "camp' \
  >"bench/proof/$commit.jsonl"
tools/proof --page >out 2>&1 || fail "a page of a damaged record: $(cat out)"
grep -q "## Damages" bench/PROOF.md || fail "the page lost what was whole"

# A planted source that an interruption left is put right, and newer than what was built of it.
mkdir -p build/planted
tools/proof --planted >out 2>&1 && fail "a program that is not there is well: $(cat out)"
grep -q "does not build" out || fail "a program that is not there: $(cat out)"
mkdir -p build/planted/build/ci
cp build/ci/* build/planted/build/ci
tools/proof --planted >out 2>&1 && fail "a fault that is not found is well: $(cat out)"
grep -q "NOT FOUND" out || fail "not found: $(cat out)"
echo broken >build/planted/kept
touch build/planted/build/built build/planted/stray
sleep 0.01
echo '"broken"' >findings
tools/proof --planted >out 2>&1 || fail "a fault that is found: $(cat out)"
grep -q "| a_fault |" out || fail "it is not in the page: $(cat out)"
[ "$(cat build/planted/kept)" = sound ] || fail "a planted source stays"
[ build/planted/kept -nt build/planted/build/built ] || fail "it is older than what was built of it"
[ ! -e build/planted/stray ] || fail "what is not committed stays in the copy"
# tools/soak hands on what it is given, each once.
: >findings
tools/soak --seed 3 --minutes 0.5 --report r >out 2>&1 || fail "soak: $(cat out)"
[ "$(cat arguments)" = "--minutes 0.5 --seed 3 --report r" ] || fail "soak: $(cat arguments)"
tools/soak --report r >out 2>&1 || fail "soak: $(cat out)"
[ "$(cat arguments)" = "--minutes 60 --report r" ] || fail "soak: $(cat arguments)"
[ "$failed" = 0 ] && echo "all checks passed"
exit "$failed"
