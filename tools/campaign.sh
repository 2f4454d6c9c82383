# What the scripts that try to break promises share. Sourced by them, from the project's folder.

# build_programs PRESET PROGRAM...: installs what is missing and builds these.
build_programs() {
  local preset="$1" log="build/$1-campaign.log"
  shift
  install_packages $packages_build libgtest-dev libgmock-dev
  mkdir -p build
  if ! { cmake --preset "$preset" && cmake --build --preset "$preset" -j "${JOBS:-$(nproc)}" --target "$@"; } \
    >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    return 1
  fi
}

# program PRESET NAME: where it was built.
program() {
  local found
  found="$(find "build/$1" -name "$2" -type f -perm -u+x | head -n 1)"
  if [ -z "$found" ]; then
    echo "$2 was not built" >&2
    return 1
  fi
  echo "$found"
}

# usage_of SCRIPT: its opening comment, and the end.
usage_of() {
  sed -n '2,/^set /{/^# /s/^# //p}' "$1" >&2
  exit 2
}
