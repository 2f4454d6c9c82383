#!/usr/bin/env bash
# The crate's build script, run as cargo runs it but in environments of every kind: what it tells
# cargo, and what it refuses.
# usage: build_script.sh WORK RUSTC BUILD_RS
set -euo pipefail
work="$1" rustc="$2" source="$3"
rm -rf "$work"
mkdir -p "$work/shared" "$work/with space" "$work/static" "$work/none" "$work/caller/lib" "$work/package" \
  "$work/no_programs" "$work/pc" "$work/programs"
for folder in shared "with space" caller/lib package; do : >"$work/$folder/libvicinal.so"; done
: >"$work/static/libvicinal.a"
script="$work/script"
"$rustc" --edition 2021 -D warnings "$source" -o "$script"

tried=0
# run WHAT VARIABLE=VALUE...: runs the script with these variables only; `code`, `out` and `err` are its
# answer.
run() {
  what="$1"
  shift
  tried=$((tried + 1))
  code=0
  (cd "$work/package" && env -i "PATH=$PATH" TARGET=here HOST=here "$@" "$script") \
    >"$work/out" 2>"$work/err" || code=$?
}
fail() {
  echo "$what: $1"
  echo "code $code"
  cat "$work/out" "$work/err"
  exit 1
}
# links FOLDER...: cargo is told to look in exactly these, for the shared library.
links() {
  [ "$code" -eq 0 ] || fail "refused"
  diff <(for folder in "$@"; do echo "cargo:rustc-link-search=native=$folder"; done) \
    <(grep -F 'cargo:rustc-link-search' "$work/out") || fail "other folders than $*"
  grep -Fx 'cargo:rustc-link-lib=dylib=vicinal' "$work/out" >"$work/found" || fail "no library is linked"
}
# refuses WORDS...: with all of these, and what to set.
refuses() {
  [ "$code" -eq 1 ] || fail "not refused"
  for words in "set VICINAL_LIB_DIR" "$@"; do
    grep -F "$words" "$work/err" >"$work/found" || fail "does not say: $words"
  done
  if grep -F 'cargo:rustc-link' "$work/out" >"$work/found"; then fail "links nevertheless"; fi
}
warns() { grep -F "cargo:warning=" "$work/out" | grep -F "$1" >"$work/found" || fail "does not warn: $1"; }
# answers TEXT: a pkg-config that says so, at "$work/programs/pkg-config".
answers() {
  printf '#!/bin/sh\nprintf "%%s\\n" '"'%s'"'\n' "$1" >"$work/programs/pkg-config"
  chmod +x "$work/programs/pkg-config"
}

# By the folder.
run "a folder" "VICINAL_LIB_DIR=$work/shared"
links "$work/shared"
run "a folder with a space" "VICINAL_LIB_DIR=$work/with space"
links "$work/with space"
run "a folder of the caller's" VICINAL_LIB_DIR=lib "PWD=$work/caller"
links "$work/caller/lib"
run "a folder of the package's" VICINAL_LIB_DIR=. "PWD=$work/nowhere"
links "$work/package/."
run "a folder with the archive only" "VICINAL_LIB_DIR=$work/static"
refuses "$work/static has only libvicinal.a" "shared library"
run "an empty folder" "VICINAL_LIB_DIR=$work/none"
refuses "no libvicinal.so in $work/none"
run "no folder" "VICINAL_LIB_DIR=$work/nowhere"
refuses "no libvicinal.so in $work/nowhere"
run "a folder, for another machine" "VICINAL_LIB_DIR=$work/shared" TARGET=there
links "$work/shared"

# By pkg-config.
ours=("PATH=$work/programs:$PATH")
answers "-L$work/shared"
run "pkg-config" "${ours[@]}"
links "$work/shared"
run "an empty VICINAL_LIB_DIR" "${ours[@]}" VICINAL_LIB_DIR=
links "$work/shared"
answers "-L$work/with\\ space -L$work/shared "
run "an escaped space" "${ours[@]}"
links "$work/with space" "$work/shared"
answers ""
run "a folder that needs no word" "${ours[@]}"
[ "$code" -eq 0 ] || fail "refused"
answers "-L$work/static"
run "pkg-config knows an archive only" "${ours[@]}"
refuses "$work/static has only libvicinal.a"
answers "-L$work/shared"
run "another pkg-config" "PATH=$work/no_programs" "PKG_CONFIG=$work/programs/pkg-config"
links "$work/shared"
run "an empty PKG_CONFIG" "${ours[@]}" PKG_CONFIG=
links "$work/shared"
run "a pkg-config that is not there" "PKG_CONFIG=$work/nowhere/pkg-config"
refuses "$work/nowhere/pkg-config"
run "no pkg-config" "PATH=$work/no_programs"
[ "$code" -eq 0 ] || fail "refused"
grep -Fx 'cargo:rustc-link-lib=dylib=vicinal' "$work/out" >"$work/found" || fail "no library is linked"
warns "set VICINAL_LIB_DIR"
run "pkg-config does not know it" "PKG_CONFIG_LIBDIR=$work/none" PKG_CONFIG_PATH=
refuses "vicinal-c"

# The real one escapes.
# shellcheck disable=SC2016  # a variable of pkg-config's
printf 'Name: vicinal-c\nDescription: none\nVersion: 0\nLibs: -L${pcfiledir}/../with\\ space -lvicinal\n' \
  >"$work/pc/vicinal-c.pc"
run "the real pkg-config and a space" "PKG_CONFIG_LIBDIR=$work/pc"
links "$work/pc/../with space"

# For another machine.
cross=("${ours[@]}" TARGET=there)
run "another machine" "${cross[@]}"
refuses "there" "here" "PKG_CONFIG_SYSROOT_DIR" "PKG_CONFIG_ALLOW_CROSS"
run "another machine, not allowed" "${cross[@]}" PKG_CONFIG_ALLOW_CROSS=0 PKG_CONFIG_SYSROOT_DIR=/root_of_it
refuses "PKG_CONFIG_ALLOW_CROSS"
run "another machine, allowed" "${cross[@]}" PKG_CONFIG_ALLOW_CROSS=1
links "$work/shared"
run "another machine's root" "${cross[@]}" PKG_CONFIG_SYSROOT_DIR=/root_of_it
links "$work/shared"
run "another machine's pkg-config" "${cross[@]}" "PKG_CONFIG=$work/programs/pkg-config"
links "$work/shared"

# What it went by makes cargo ask again.
for name in VICINAL_LIB_DIR PKG_CONFIG PKG_CONFIG_PATH PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR \
  PKG_CONFIG_ALLOW_CROSS; do
  grep -Fx "cargo:rerun-if-env-changed=$name" "$work/out" >"$work/found" || fail "does not watch $name"
done
echo "$tried environments"
