#!/usr/bin/env bash
# Fails where what a thread annotation says (engine/base/thread_annotations.h) is not so: a guarded
# member without its lock, a call without the lock that it requires, a lock that is not given back;
# and where a room locks by what the analysis does not know, the standard's own.
# Clang parses every source of the library, in the way that the build folder's database says.
# usage: thread_safety.sh ROOT BUILD
# JOBS sets how many processes parse (default: one per CPU).
set -euo pipefail
root="$(realpath "$1")"
database="$(realpath "$2")/compile_commands.json"

# Clang 14 cannot parse these sources.
clang=""
for candidate in clang++-{16..22} clang++; do
  version="$("$candidate" -dumpversion 2>/dev/null || true)"
  if [[ "${version%%.*}" =~ ^[0-9]+$ ]] && [ "${version%%.*}" -ge 16 ]; then
    clang="$candidate"
    break
  fi
done
if [ -z "$clang" ]; then
  echo "skipped: no clang of version 16 or later is installed"
  exit 77
fi

cd "$root"
unknown="std::(mutex|(recursive|timed|recursive_timed|shared|shared_timed)_mutex|lock_guard|unique_lock"
unknown="$unknown|shared_lock|scoped_lock|condition_variable(_any)?)[^a-z_]"
if find kernels graph persist engine \( -name '*.h' -o -name '*.cc' \) \
  ! -path engine/base/mutex.h -exec grep -nHE "^([^/]|/[^/])*$unknown" {} +; then
  echo "use engine/base/mutex.h"
  exit 1
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# Two arrays: a source, and the flags it is compiled with. Of a source that is compiled twice (for
# tests, with hooks) the first counts.
sources=() flags=()
declare -A seen=()
while read -r command; do
  source="${command##* }"
  case "${source#"$root/"}" in kernels/* | graph/* | persist/* | engine/*) ;; *) continue ;; esac
  if [ -n "${seen[$source]:-}" ]; then continue; fi
  seen[$source]=1
  command="${command% -o * -c *}"
  sources+=("$source")
  flags+=("-${command#* -}")
done < <(sed -nE 's/^ *"command": "(.*)",?$/\1/p' "$database" | sed -E 's/\\(.)/\1/g')
if [ "${#sources[@]}" -eq 0 ]; then
  echo "no source of the library in $database"
  exit 1
fi

# Headers are parsed once, for all sources with the flags that most have.
analysis="-Wno-everything -Werror -Wthread-safety -Wthread-safety-beta"
common="$(printf '%s\n' "${flags[@]}" | sort | uniq -c | sort -rn | sed -nE '1s/^ *[0-9]+ //p')"
find kernels graph persist engine -name '*.h' ! -name '*-inl.h' | sort |
  sed -E 's#^(engine/include/)?(.*)$#\#include "\2"#' >"$work/all.h"
bash -c "$clang $common $analysis -fpch-instantiate-templates -x c++-header $work/all.h \
  -o $work/all.pch"

# Several at once, for most of the time is the reading of headers; each by itself where names meet.
analyze() {
  local name="$1" flags="$2" headers="" source
  shift 2
  if [ "$flags" = "$common" ]; then headers="-include-pch $work/all.pch"; fi
  printf '#include "%s"\n' "$@" >"$work/$name.cc"
  # shellcheck disable=SC2086
  if eval "$clang $flags $analysis $headers -fsyntax-only $work/$name.cc" 2>/dev/null; then return 0; fi
  local failed=0
  for source in "$@"; do
    eval "$clang $flags $analysis $headers -fsyntax-only $source" >>"$work/$name.out" 2>&1 || failed=1
  done
  return "$failed"
}
export -f analyze
export clang analysis common work

together=8
group=0
begin=0
for ((i = 1; i <= ${#sources[@]}; ++i)); do
  if ((i < ${#sources[@]} && i - begin < together)) && [ "${flags[i]}" = "${flags[begin]}" ]; then
    continue
  fi
  printf '%s\0' "$(printf 'analyze %q ' "$group")$(printf '%q ' "${flags[begin]}" "${sources[@]:begin:i-begin}")"
  group=$((group + 1))
  begin=$i
done | xargs -0 -n 1 -P "${JOBS:-$(nproc)}" bash -c || status=1
touch "$work/none.out"
cat "$work"/*.out
if [ "${status:-0}" -ne 0 ]; then exit 1; fi
echo "${#sources[@]} sources analyzed by $clang"
