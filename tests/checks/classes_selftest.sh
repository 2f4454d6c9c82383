#!/usr/bin/env bash
# Proves that classes.sh counts what it says: 25 member functions pass, 26 do not.
set -euo pipefail
check="$(cd "$(dirname "$0")" && pwd)/classes.sh"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# expect good|bad NAME COUNT [MORE]: a tree with class NAME of COUNT functions, and MORE in it.
trees=0 failures=0
expect() {
  trees=$((trees + 1))
  rm -rf "$work/tree"
  mkdir -p "$work"/tree/{kernels,graph,persist,engine,tools,bench}
  {
    echo "namespace n {"
    echo "class $2 final : public Base {"
    echo " public:"
    echo "  explicit $2(int a);  // not (counted)"
    echo "  ~$2() { f(); }"
    echo "  $2(const $2&) = delete;"
    echo "  int member_ = f(1);"
    for ((i = 0; i < $3; ++i)); do
      case $((i % 4)) in
        0) echo "  virtual int f$i(int a, const std::function<void(int)>& b) const;" ;;
        1) echo "  int f$i() const { if (a) { g(); } return h(); }" ;;
        2) echo "  template <typename T> static void f$i(T a);" ;;
        3) echo "  bool operator()(int a, int f$i) const;" ;;
      esac
    done
    echo "${4:-}"
    echo "};"
    echo "}"
  } >"$work/tree/graph/a.h"
  local verdict=good
  bash "$check" "$work/tree" >"$work/output" || verdict=bad
  if [ "$verdict" != "$1" ]; then
    echo "$2 of $3 was judged $verdict:"
    cat "$work/output"
    failures=$((failures + 1))
  fi
}

expect good Crowd 25
expect bad Crowd 26
expect good Graph 40
expect good Crowd 25 "  struct Inner { int f() { return 1; } void g(); };"
expect bad Crowd 25 "  void one_more() noexcept;"
expect good Crowd 25 "  int guarded_ VICINAL_GUARDED_BY(mutex_) = 0;"
expect bad Crowd 25 "  void one_more() VICINAL_REQUIRES(mutex_);"
expect bad Other 3 "  struct Crowd { $(printf 'void f(); %.0s' {1..26}) };"
expect bad Other 3 "  class VICINAL_CAPABILITY(\"a\") Crowd { $(printf 'void f(); %.0s' {1..26}) };"

echo "$((trees - failures)) of $trees trees judged rightly"
[ "$failures" -eq 0 ]
