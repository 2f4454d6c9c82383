#!/usr/bin/env bash
# Fails where a comment's heading ("Threads:", "Errors:", ...) does not begin its line, where two
# invariants of the house share a tag, and where a tag is named by no test and by no validate.cc.
# usage: headers.sh ROOT
set -euo pipefail
cd "$1"
sources() { find kernels graph persist engine tools bench tests \( -name '*.h' -o -name '*.cc' \) | sort; }
bad=0

headings='Threads|Ownership|Errors|Shapes|Cost|What|Visibility|Durability'
if sources | xargs grep -nHE "^[[:space:]]*//.*[.:;,)] ($headings): "; then
  echo "a heading begins its line"
  bad=1
fi

# A tag is defined by a line of a header comment: "//   G4  A link at level L ...".
definitions="$(sources | xargs grep -hoE '^//[[:space:]]{0,5}[A-Z]+[0-9]+[*]?[[:space:]]{1,4}[A-Z]' |
  sed -E 's#^//[[:space:]]*([A-Z]+[0-9]+).*#\1#')"
repeated="$(sort <<<"$definitions" | uniq -d)"
if [ -n "$repeated" ]; then
  echo "tags with two meanings:" $repeated
  bad=1
fi
for tag in $definitions; do
  if ! { find tests -type f && find engine graph -name validate.cc; } |
    xargs grep -qE "(^|[^A-Za-z0-9])([A-Z][0-9]+)*$tag([^0-9]|\$)"; then
    echo "no test and no validate.cc names $tag"
    bad=1
  fi
done
echo "$(wc -w <<<"$definitions") tags"
exit "$bad"
