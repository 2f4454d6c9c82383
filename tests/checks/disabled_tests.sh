#!/usr/bin/env bash
# Fails when a test is disabled without naming its issue ("issue 12", "#12") on the same line or the
# line before. Proves on the way that it would notice.
# usage: disabled_tests.sh ROOT
set -euo pipefail

# offenders FOLDER: prints the disabled tests below it that name no issue.
offenders() {
  find "$1" -name '*.cc' -print0 | xargs -0 -r awk '
    FNR == 1 { before = "" }
    /DISABLED_/ && (before $0) !~ /(issue |#)[0-9]+/ { printf "%s:%d: %s\n", FILENAME, FNR, $0 }
    { before = $0 }'
}

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
printf '// Waits for issue 12.\nTEST(A, DISABLED_Named) {}\n\nTEST(A, DISABLED_Silent) {}\n' >"$work/a.cc"
[ "$(offenders "$work" | wc -l)" -eq 1 ] || { echo "the check itself is broken"; exit 1; }

found="$(offenders "$1/tests")"
if [ -n "$found" ]; then
  echo "disabled without an issue:"
  echo "$found"
  exit 1
fi
echo "no test is disabled without an issue"
