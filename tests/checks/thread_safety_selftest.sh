#!/usr/bin/env bash
# Proves that thread_safety.sh accepts locks that are used rightly and finds each kind of breach, in
# a source and in a header, and locks that the analysis does not know.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/tree/{kernels,graph,persist,engine/base}
cp "$here"/../../engine/base/{mutex,thread_annotations}.h "$work/tree/engine/base/"

# account FILE MEMBERS: writes a class of these members, with a mutex and what that guards.
account() {
  printf '%s\n' '#include "engine/base/mutex.h"' 'namespace vicinal::internal {' \
    'class Account {' ' public:' "$2" ' private:' \
    '  int add(int n) VICINAL_REQUIRES(mutex_) { return sum_ += n; }' \
    '  Mutex mutex_;' '  CondVar changed_;' '  int sum_ VICINAL_GUARDED_BY(mutex_) = 0;' '};' \
    '}  // namespace vicinal::internal' >"$work/tree/$1"
}
good=0 bad=0
good() { account "graph/good_$((++good)).cc" "$1"; }
bad() { account "graph/bad_$((++bad)).cc" "$1"; }

good 'int get() { const MutexLock lock(mutex_); return sum_; }'
bad 'int get() { return sum_; }'
bad 'void set() { sum_ = 1; }'
bad 'int get() { { const MutexLock lock(mutex_); } return sum_; }'
good 'void more() { const MutexLock lock(mutex_); add(1); }'
bad 'void more() { add(1); }'
good 'int get() {
        if (!mutex_.try_lock()) return 0;
        const MutexLock lock(mutex_, std::adopt_lock);
        return sum_;
      }'
bad 'int get() { if (!mutex_.try_lock()) return 0; return sum_; }'
bad 'int get() { const MutexLock lock(mutex_, std::adopt_lock); return sum_; }'
bad 'void twice() { const MutexLock lock(mutex_); const MutexLock again(mutex_); }'
bad 'void keep() { mutex_.lock(); }'
good 'void part() { const MutexLock lock(mutex_); { const MutexUnlock open(mutex_); } sum_ = 1; }'
bad 'void part() { const MutexLock lock(mutex_); const MutexUnlock open(mutex_); sum_ = 1; }'
good 'void wait() { const MutexLock lock(mutex_); while (sum_ == 0) changed_.wait(mutex_); }'
bad 'void wait() { changed_.wait(mutex_); }'
bad 'void none() VICINAL_EXCLUDES(mutex_) {} void some() { const MutexLock lock(mutex_); none(); }'
bad 'Mutex first_ VICINAL_ACQUIRED_BEFORE(mutex_);
     void both() { const MutexLock lock(mutex_); const MutexLock late(first_); }'

# check: judges the sources of the tree, compiled as CMake writes it down.
check() {
  local source status=0
  for source in "$work"/tree/graph/*.cc; do
    printf '{\n  "command": "c++ -DX=\\\\\\"1\\\\\\" -I%s -std=c++20 -Wall -o a.o -c %s"\n}\n' \
      "$work/tree" "$source"
  done >"$work/compile_commands.json"
  bash "$here/thread_safety.sh" "$work/tree" "$work" >"$work/output" 2>&1 || status=$?
  if [ "$status" -eq 77 ]; then
    cat "$work/output"
    exit 77
  fi
  return "$status"
}
fail() {
  echo "$1"
  cat "$work/output"
  exit 1
}

if check; then fail "breaches passed"; fi
for ((i = 1; i <= bad; ++i)); do
  grep -qE "bad_$i\.cc:.*-Wthread-safety" "$work/output" || fail "nothing found in bad_$i.cc"
done
if grep -E 'error:' "$work/output" | grep -v '/bad_[0-9]*\.cc:'; then fail "found where nothing is"; fi

rm "$work"/tree/graph/bad_*.cc
check || fail "what is right did not pass"

printf '// Not a std::mutex: %s\n' 'std::lock_guard lock(m);' >"$work/tree/graph/comment.h"
check || fail "a comment did not pass"
printf 'void f() { const std::lock_guard<M> lock(m); }  // once\n' >"$work/tree/graph/unknown.h"
if check; then fail "an unknown lock passed"; fi
grep -q 'unknown\.h:1:' "$work/output" || fail "nothing found in unknown.h"
rm "$work/tree/graph/unknown.h"

account graph/bad.h 'int get() { return sum_; }'
if check; then fail "a breach in a header passed"; fi
grep -qE 'bad\.h:.*-Wthread-safety' "$work/output" || fail "nothing found in bad.h"
echo "$good sources without and $((bad + 1)) with a breach judged rightly"
