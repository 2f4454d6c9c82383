# A check of lines in the tests, with a proof that it would notice: sourced, not run.
# The check defines
#   offenders FOLDER   prints the lines below it that offend
# fills $work, a new folder, with a sample of which one line offends, and calls
#   check_tests ROOT WORDS GOOD   says WORDS, before the lines of ROOT/tests that offend, or GOOD
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

check_tests() {
  local found
  [ "$(offenders "$work" | wc -l)" -eq 1 ] || { echo "the check itself is broken"; exit 1; }
  found="$(offenders "$1/tests")"
  if [ -n "$found" ]; then
    echo "$2:"
    echo "$found"
    exit 1
  fi
  echo "$3"
}
