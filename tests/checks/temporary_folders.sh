#!/usr/bin/env bash
# Fails when a test names a file where another test, or the same one of another build beside it, may
# name it too: only tests/temporary_folder.h asks where temporary files go. Proves on the way that
# it would notice.
# usage: temporary_folders.sh ROOT
set -euo pipefail

# offenders FOLDER: prints the lines below it that name the shared folder.
offenders() {
  grep -rnE --include='*.cc' --include='*.h' 'TempDir\(|temp_directory_path|"/tmp/' "$1" |
    grep -v '^[^:]*temporary_folder\.h:' || true
}

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
echo 'std::string path = ::testing::TempDir() + "a.bin";' >"$work/a.cc"
echo 'std::filesystem::temp_directory_path();' >"$work/temporary_folder.h"
[ "$(offenders "$work" | wc -l)" -eq 1 ] || { echo "the check itself is broken"; exit 1; }

found="$(offenders "$1/tests")"
if [ -n "$found" ]; then
  echo "files in a folder that tests share (take tests/temporary_folder.h):"
  echo "$found"
  exit 1
fi
echo "every test has its files in a folder of its own"
