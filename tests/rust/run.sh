#!/usr/bin/env bash
# usage: run.sh WORK PREFIX CC CARGO RUSTC build ROOT README   copies the crate, its tests and README's
#                                                  program (the file README) to WORK and builds them
#                                                  against the library installed in PREFIX
#        run.sh WORK PREFIX CC CARGO RUSTC crate   the crate's own tests: its declarations against
#                                                  the header, its documentation and the examples in it
#        run.sh WORK PREFIX CC CARGO RUSTC script  the crate's build script in environments of every kind
#        run.sh WORK PREFIX CC CARGO RUSTC readme  runs README's program in new folders, started as README
#                                                  says; it prints what the comments in it say
#        run.sh WORK PREFIX CC CARGO RUSTC bench ROOT   builds bench/bindings/rust.rs and runs it on little
#        run.sh WORK PREFIX CC CARGO RUSTC format ROOT
#        run.sh WORK PREFIX CC CARGO RUSTC TEST    runs tests/TEST.rs
set -euo pipefail
work="$1" prefix="$2" cc="$3" cargo="$4" rustc="$5" mode="$6"
here="$(cd "$(dirname "$0")" && pwd)"

if [ "$mode" = format ]; then
  rustfmt="$(dirname "$rustc")/rustfmt"
  if [ ! -x "$rustfmt" ]; then
    echo "skipped: rustfmt is not installed"
    exit 77
  fi
  cd "$7"
  mapfile -t sources < <(find tools/rust tests/rust bench -name '*.rs' -not -path '*/target/*')
  [ "${#sources[@]}" -gt 0 ]
  "$rustfmt" --check --config-path tools/rust "${sources[@]}"
  echo "${#sources[@]} files formatted"
  exit 0
fi

# Nothing of the user's own cargo counts; Debian's cargo is not to take another's compiler.
export CARGO_HOME="$work/cargo_home" CARGO_TARGET_DIR="$work/target" CARGO_NET_OFFLINE=true
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0
export RUSTC="$rustc" RUSTDOC="${rustc%rustc}rustdoc" CC="$cc"
library="$(dirname "$(find "$prefix" -name libvicinal.so.0)")"
export LD_LIBRARY_PATH="$library" PKG_CONFIG_PATH="$library/pkgconfig"
unset VICINAL_LIB_DIR VICINAL_INCLUDE_DIR RUSTFLAGS
crate="$work/tools/rust" tests="$work/tests/rust"

case "$mode" in
  build)
    "$cargo" --version
    "$rustc" --version
    rm -rf "$work"
    # A tree of its own with the same folders: cargo writes beside what it builds.
    mkdir -p "$work/tools" "$work/tests"
    cp -r "$7/tools/rust" "$crate"
    cp -r "$here" "$tests"
    mkdir "$tests/examples"
    cp "$8" "$tests/examples/readme.rs"
    export RUSTFLAGS="-D warnings"
    "$cargo" test --offline --no-run --manifest-path "$crate/Cargo.toml"
    "$cargo" test --offline --no-run --manifest-path "$tests/Cargo.toml"
    # Without pkg-config, by the folder of the library; and where it is not, words.
    PKG_CONFIG_PATH="" PKG_CONFIG_LIBDIR=/nowhere VICINAL_LIB_DIR="$library" \
      RUSTFLAGS="-D warnings -C link-arg=-Wl,-rpath,$library" \
      "$cargo" build --offline --manifest-path "$tests/Cargo.toml" --example readme --target-dir "$work/by_folder"
    cd "$crate"
    if PKG_CONFIG_PATH="" PKG_CONFIG_LIBDIR=/nowhere "$cargo" build --offline \
      --target-dir "$work/by_nothing" >"$work/why" 2>&1; then
      echo "built without the library"
      exit 1
    fi
    grep -F "set VICINAL_LIB_DIR" "$work/why"
    ;;
  crate)
    RUSTFLAGS="-D warnings" "$cargo" test --offline --manifest-path "$crate/Cargo.toml"
    RUSTDOCFLAGS="-D warnings" "$cargo" doc --offline --no-deps --manifest-path "$crate/Cargo.toml"
    ;;
  script)
    bash "$here/build_script.sh" "$work/script" "$rustc" "$crate/build.rs"
    ;;
  readme)
    # Each line that is printed stands in a comment behind what prints it.
    source="$tests/examples/readme.rs"
    sed -n 's|^ *println!(.*); // ||p' "$source" >"$work/expected"
    [ "$(grep -c 'println!' "$source")" -eq "$(grep -c . "$work/expected")" ]
    by_path="$work/target/debug/examples/readme" by_rpath="$work/by_folder/debug/examples/readme"
    readelf -d "$by_path" | grep -F '[libvicinal.so.0]'
    LD_LIBRARY_PATH="$library" bash "$here/../checks/run_in_new_folder.sh" "$by_path" >"$work/by_path.out"
    env -u LD_LIBRARY_PATH bash "$here/../checks/run_in_new_folder.sh" "$by_rpath" >"$work/by_rpath.out"
    diff "$work/expected" "$work/by_path.out"
    diff "$work/expected" "$work/by_rpath.out"
    ;;
  bench)
    bash "$7/bench/bindings/rust.sh" "$work/bench" "$library"
    "$work/bench/rust" 50 8 | tee "$work/bench.jsonl"
    for what in search_smallest smallest_into search search_batch upsert upsert_batch; do
      line="^\{\"binding\":\"rust\",\"operation\":\"$what\",\"ns\":[1-9][0-9]*\.[0-9]\}\$"
      [ "$(grep -cE "$line" "$work/bench.jsonl")" -eq 3 ]
    done
    if "$work/bench/rust" 50; then
      echo "it ran without a dimension"
      exit 1
    fi
    ;;
  *)
    RUSTFLAGS="-D warnings" "$cargo" test --offline --manifest-path "$tests/Cargo.toml" --test "$mode"
    ;;
esac
