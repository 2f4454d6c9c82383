#!/usr/bin/env bash
# Fails when a test is disabled without naming its issue ("issue 12", "#12") on the same line or the
# line before.
# usage: disabled_tests.sh ROOT
# shellcheck source=offenders.sh
. "$(dirname "$0")/offenders.sh"

offenders() {
  find "$1" -name '*.cc' -print0 | xargs -0 -r awk '
    FNR == 1 { before = "" }
    /DISABLED_/ && (before $0) !~ /(issue |#)[0-9]+/ { printf "%s:%d: %s\n", FILENAME, FNR, $0 }
    { before = $0 }'
}

printf '// Waits for issue 12.\nTEST(A, DISABLED_Named) {}\n\nTEST(A, DISABLED_Silent) {}\n' >"$work/a.cc"
check_tests "$1" "disabled without an issue" "no test is disabled without an issue"
