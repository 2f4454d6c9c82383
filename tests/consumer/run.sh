#!/usr/bin/env bash
# usage: run.sh WORK CMAKE CXX CC install BUILD   installs the build BUILD into WORK/prefix
#        run.sh WORK CMAKE CXX CC find_package [mimalloc]
#        run.sh WORK CMAKE CXX CC pkg_config [mimalloc]
#                                                 builds and runs the consumer against WORK/prefix
#        run.sh WORK CMAKE CXX CC find_package_c, pkg_config_c
#                                                 the consumer in C, against the shared library
#        run.sh WORK CMAKE CXX CC refused         programs that must not be made, and say why
set -euo pipefail
work="$1" cmake="$2" cxx="$3" cc="$4" mode="$5" extra="${6:-}"
project="$(cd "$(dirname "$0")" && pwd)/project"
prefix="$work/prefix"

# needs PROGRAM: the shared libraries that it names.
needs() { readelf -d "$1" | grep -oE '\[lib[^]]*\]'; }

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
    if needs "$build/consumer" | grep -F libvicinal; then
      echo "a program of the static library needs the shared one"
      exit 1
    fi
    ;;
  find_package_c)
    build="$work/find_package_c"
    rm -rf "$build"
    # Nobody who links the shared library needs what it is made of.
    "$cmake" -S "$project/../c_project" -B "$build" -G Ninja -DCMAKE_C_COMPILER="$cc" \
      -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_DISABLE_FIND_PACKAGE_{hwy,fmt,roaring,PkgConfig}=ON
    "$cmake" --build "$build"
    "$build/consumer"
    needs "$build/consumer" | grep -xF '[libvicinal.so.0]'
    ;;
  pkg_config_c)
    library="$(find "$prefix" -name libvicinal.so.0)"
    PKG_CONFIG_PATH="$(dirname "$(find "$prefix" -name vicinal-c.pc)")"
    export PKG_CONFIG_PATH
    build="$work/pkg_config_c"
    rm -rf "$build"
    mkdir -p "$build"
    read -ra flags <<<"$(pkg-config --cflags --libs vicinal-c)"
    "$cc" -std=c11 -pedantic -Wall -Werror "$project/../c_project/main.c" -o "$build/consumer" \
      "${flags[@]}"
    LD_LIBRARY_PATH="$(dirname "$library")" "$build/consumer"
    needs "$build/consumer" | grep -xF '[libvicinal.so.0]'
    # The header is one of C++ too, of any.
    for standard in c++11 c++20; do
      "$cxx" -std="$standard" -pedantic -Wall -Wextra -Werror -x c++ \
        "$project/../c_project/main.c" -o "$build/consumer_$standard" -x none "${flags[@]}"
      LD_LIBRARY_PATH="$(dirname "$library")" "$build/consumer_$standard"
    done
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
