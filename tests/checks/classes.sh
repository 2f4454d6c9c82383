#!/usr/bin/env bash
# Fails where a class has more than 25 member functions (overloads count; constructors, the
# destructor and what is defaulted do not) unless it is a facade: then it has several ideas.
# usage: classes.sh ROOT
set -euo pipefail
cd "$1"
facades=" Store Index Graph "
find kernels graph persist engine tools bench -name '*.h' -print0 | xargs -0 awk -v facades="$facades" '
function finish() {
  if (functions > 25 && index(facades, " " name[depth] " ") == 0) {
    print file ": class " name[depth] " has " functions " member functions"
    bad++
  }
}
# A statement of a class body: a function when a name is followed by "(" and it is no data member
# with an initializer, no using, no friend, no assertion, no macro call.
function statement(text) {
  gsub(/[[:space:]]+/, " ", text)
  sub(/^ /, "", text)
  while (sub(/^(public|private|protected) ?: ?/, "", text)) {}
  sub(/^template ?<[^>]*> ?/, "", text)
  sub(/^\[\[[^]]*\]\] ?/, "", text)
  if (text ~ /^(using|friend|typedef|static_assert|enum|struct|class|union)([^a-zA-Z_0-9]|$)/) return
  if (text ~ /= (default|delete) ?$/) return
  if (match(text, /[A-Za-z_0-9~=<>!+*\-\[\]]+ ?\(/) == 0) return
  before = substr(text, 1, RSTART)
  if (before ~ /=/ && before !~ /operator/) return
  called = substr(text, RSTART, RLENGTH)
  sub(/ ?\($/, "", called)
  if (called == name[depth] || called ~ /^~/) return
  functions++
}
FNR == 1 { file = FILENAME; depth = 0; text = ""; comment = 0 }
{
  line = $0
  if (line ~ /^[[:space:]]*#/) next
  gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
  gsub(/\047([^\047\\]|\\.)\047/, "0", line)
  sub(/\/\/.*/, "", line)
  gsub(/ VICINAL_[A-Z_]+(\([^()]*\))?/, "", line)  # annotations (thread_annotations.h)
  n = length(line)
  for (i = 1; i <= n; i++) {
    c = substr(line, i, 1)
    if (c == "{") {
      depth++
      kind[depth] = "other"
      saved[depth] = functions
      if (match(text, /(class|struct) ([A-Za-z_]+\([^)]*\) |alignas\([^)]*\) )?[A-Za-z_][A-Za-z_0-9:]*( final)?( ?:[^:].*)?[[:space:]]*$/) &&
          text !~ /enum/ && text !~ /\(.*\)[^:]*$/) {
        head = substr(text, RSTART)
        sub(/^(class|struct) /, "", head)
        sub(/^alignas\([^)]*\) /, "", head)
        sub(/[ :].*/, "", head)
        kind[depth] = "class"
        name[depth] = head
        functions = 0
      } else if (depth > 1 && kind[depth - 1] == "class") {
        statement(text)
        saved[depth] = functions
      }
      text = ""
    } else if (c == "}") {
      if (kind[depth] == "class") { finish(); classes++ }
      functions = saved[depth]
      depth--
      text = ""
    } else if (c == ";") {
      if (depth > 0 && kind[depth] == "class") statement(text)
      text = ""
    } else {
      text = text c
    }
  }
  text = text " "
}
END { printf "%d classes, %d too large\n", classes, bad; exit bad > 0 || classes == 0 }'
