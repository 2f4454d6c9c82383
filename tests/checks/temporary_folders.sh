#!/usr/bin/env bash
# Fails when a test names a file where another test, or the same one of another build beside it, may
# name it too: only tests/temporary_folder.h asks where temporary files go.
# usage: temporary_folders.sh ROOT
# shellcheck source=offenders.sh
. "$(dirname "$0")/offenders.sh"

offenders() {
  grep -rnE --include='*.cc' --include='*.h' 'TempDir\(|temp_directory_path|"/tmp/' "$1" |
    grep -v '^[^:]*temporary_folder\.h:' || true
}

echo 'std::string path = ::testing::TempDir() + "a.bin";' >"$work/a.cc"
echo 'std::filesystem::temp_directory_path();' >"$work/temporary_folder.h"
check_tests "$1" "files in a folder that tests share (take tests/temporary_folder.h)" \
  "every test has its files in a folder of its own"
