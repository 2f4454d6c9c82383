# Helpers of the cli tests; sourced with the path of `vicinal` as $1. Every check prints what it saw.
set -u
vicinal=$1
work=$(mktemp -d)
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

fail() {
  echo "FAILED: $1"
  echo "  stdout: $(head -c 2000 out)"
  echo "  stderr: $(head -c 2000 err)"
  failed=$((failed + 1))
}

# run CODE ARGUMENTS...: runs vicinal, wants that exit code; leaves its output in the files out and err.
run() {
  local want=$1
  shift
  "$vicinal" "$@" >out 2>err </dev/null
  local got=$?
  [ "$got" = "$want" ] || fail "exit code $got, not $want: vicinal $*"
}

# says FILE TEXT: the file (out or err) must hold the text.
says() {
  grep -qF -- "$2" "$1" || fail "$1 does not say: $2"
}

# same A B: two files must be equal.
same() {
  cmp -s "$1" "$2" || fail "$1 and $2 differ"
}

# random_jsonl ROWS DIMENSION SEED [FIRST_LABEL]: rows with labels when a first label is given.
random_jsonl() {
  awk -v n="$1" -v d="$2" -v seed="$3" -v first="${4:--1}" 'BEGIN {
    srand(seed)
    for (i = 0; i < n; ++i) {
      printf "{"
      if (first >= 0) printf "\"label\":%d,", first + i
      printf "\"vector\":["
      for (j = 0; j < d; ++j) printf "%s%.6f", j ? "," : "", rand() * 2 - 1
      print "]}"
    }
  }'
}

finish() {
  [ "$failed" = 0 ] || { echo "$failed checks failed"; exit 1; }
  echo "all checks passed"
}
