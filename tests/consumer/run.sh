#!/usr/bin/env bash
# usage: run.sh WORK CMAKE CXX install BUILD      installs the build BUILD into WORK/prefix
#        run.sh WORK CMAKE CXX find_package [mimalloc]
#        run.sh WORK CMAKE CXX pkg_config [mimalloc]
#                                                 builds and runs the consumer against WORK/prefix
set -euo pipefail
work="$1" cmake="$2" cxx="$3" mode="$4" extra="${5:-}"
project="$(cd "$(dirname "$0")" && pwd)/project"
prefix="$work/prefix"

case "$mode" in
  install)
    rm -rf "$work"
    "$cmake" --install "$extra" --prefix "$prefix"
    # An installed tree must not point back at the folders it came from.
    source="$(cd "$(dirname "$0")/../.." && pwd)"
    if grep -rnIF -e "$source" -e "$extra" "$prefix"; then
      echo "the installed files above name the source or build folder"
      exit 1
    fi
    ;;
  find_package)
    build="$work/find_package$extra"
    rm -rf "$build"
    "$cmake" -S "$project" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$cxx" \
      -DCMAKE_PREFIX_PATH="$prefix" -DWITH_MIMALLOC="$([ -n "$extra" ] && echo ON || echo OFF)"
    "$cmake" --build "$build"
    "$build/consumer"
    ;;
  pkg_config)
    pc_dir="$(dirname "$(find "$prefix" -name vicinal.pc)")"
    export PKG_CONFIG_PATH="$pc_dir"
    build="$work/pkg_config$extra"
    rm -rf "$build"
    mkdir -p "$build"
    modules=(vicinal) defines=()
    if [ -n "$extra" ]; then
      modules=(vicinal-mimalloc) defines=(-DWITH_MIMALLOC)
    fi
    pkg-config --modversion vicinal
    read -ra flags <<<"$(pkg-config --static --cflags --libs "${modules[@]}")"
    "$cxx" -std=c++20 "${defines[@]}" "$project/main.cc" -o "$build/consumer" "${flags[@]}"
    "$build/consumer"
    ;;
  *)
    echo "unknown mode $mode"
    exit 2
    ;;
esac
