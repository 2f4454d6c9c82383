#!/usr/bin/env bash
# Packs the build BUILD, which is for ARCHITECTURE and made, as Debian packages into the folder
# OUTPUT, and says which.
# usage: pack.sh BUILD ARCHITECTURE OUTPUT
set -euo pipefail
build="$1" architecture="$2" output="$3"
mkdir -p "$output"
rm -f "$output"/*_"$architecture".deb
# dpkg-shlibdeps looks for libraries where this one's lie.
environment="$(dpkg-architecture -a"$architecture" -s 2>/dev/null)"
eval "$environment"
cpack -G DEB --config "$build/CPackConfig.cmake" -B "$output" >"$output/$architecture.log" 2>&1 || {
  cat "$output/$architecture.log"
  exit 1
}
rm -rf "$output/_CPack_Packages"
ls "$output"/*_"$architecture".deb
