#!/usr/bin/env bash
# usage: run.sh WORK CMAKE CXX install BUILD      installs the build BUILD into WORK/prefix
#        run.sh WORK CMAKE CXX find_package [mimalloc]
#        run.sh WORK CMAKE CXX pkg_config [mimalloc]
#                                                 builds and runs the consumer against WORK/prefix
#        run.sh WORK CMAKE CXX refused            programs that must not be made, and say why
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
  refused)
    pc_dir="$(dirname "$(find "$prefix" -name vicinal.pc)")"
    export PKG_CONFIG_PATH="$pc_dir"
    read -ra flags <<<"$(pkg-config --static --cflags --libs vicinal)"
    # refused WORDS FLAG...: the consumer is not made with FLAG, and the compiler says WORDS.
    refused() {
      if "$cxx" "${@:2}" "$project/main.cc" -o "$work/refused" "${flags[@]}" >"$work/why" 2>&1; then
        echo "a program was made with ${*:2}"
        exit 1
      fi
      grep -q "$1" "$work/why" || {
        echo "with ${*:2} nothing says $1:"
        head -n 40 "$work/why"
        exit 1
      }
    }
    refused "need C++20" -std=c++17
    refused "vicinal_was_built_with_GLIBCXX_DEBUG" -std=c++20 -D_GLIBCXX_DEBUG
    refused "vicinal_was_built_with_the_old_CXX11_ABI" -std=c++20 -D_GLIBCXX_USE_CXX11_ABI=0
    # Each header says so by itself.
    include="$(dirname "$(find "$prefix" -path '*/vicinal/index.h')")"
    for header in "$include"/*.h; do
      if "$cxx" -std=c++17 -fsyntax-only -I "$include/.." -x c++ "$header" >"$work/why" 2>&1 ||
        ! grep -q "need C++20" "$work/why"; then
        echo "$header does not say that it needs C++20"
        exit 1
      fi
    done
    ;;
  *)
    echo "unknown mode $mode"
    exit 2
    ;;
esac
