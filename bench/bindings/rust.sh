#!/usr/bin/env bash
# Builds bench/bindings/rust.rs and the crate with optimisation against the library in the folder
# LIBRARY: the program is WORK/rust.
# usage: rust.sh WORK LIBRARY     RUSTC says which compiler (default: rustc)
set -euo pipefail
if [ $# -ne 2 ]; then sed -n '2,/^set /{/^# \{0,1\}/s/^# \{0,1\}//p}' "$0" >&2 && exit 2; fi
root="$(cd "$(dirname "$0")/../.." && pwd)"
work="$1" library="$(cd "$2" && pwd)" rustc="${RUSTC:-rustc}"
mkdir -p "$work"
flags=(--edition 2021 -C opt-level=3 -L "native=$library")
"$rustc" "${flags[@]}" --crate-type rlib --crate-name vicinal -l dylib=vicinal \
  "$root/tools/rust/src/lib.rs" -o "$work/libvicinal.rlib"
"$rustc" "${flags[@]}" --extern "vicinal=$work/libvicinal.rlib" -C "link-arg=-Wl,-rpath,$library" \
  "$root/bench/bindings/rust.rs" -o "$work/rust"
