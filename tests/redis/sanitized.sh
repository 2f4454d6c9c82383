#!/usr/bin/env bash
# Builds the module with a sanitizer and runs its tests in servers against it, but for memory, which a
# sanitizer changes. The server is the system's own, so the sanitizer's library is loaded before it.
#
# usage: sanitized.sh address|thread [--build FOLDER] [TEST.py ARGUMENT...]
#   --build FOLDER  build there (default: build/redis-address or build/redis-thread)
#   TEST.py ...     run this one instead; the module's path goes before its arguments
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(cd "$here/../.." && pwd)"
case "${1:-}" in
  address) preset=asan library=libasan.so ;;
  thread) preset=tsan library=libtsan.so ;;
  *)
    sed -n '2,/^set /{/^# \{0,1\}/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
build="$root/build/redis-$1"
shift
if [ "${1:-}" = --build ]; then
  build="$2"
  shift 2
fi
if [ ! -e "$build/CMakeCache.txt" ]; then
  cmake -S "$root" --preset "$preset" -B "$build" -DVICINAL_BUILD_TOOLS=ON -DVICINAL_BUILD_TESTS=OFF >&2
fi
cmake --build "$build" -j "${JOBS:-$(nproc)}" --target vicinal_redis >&2
module="$build/tools/redis/vicinal.so"
compiler="$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")"
VICINAL_REDIS_PRELOAD="$("$compiler" -print-file-name="$library")"
export VICINAL_REDIS_PRELOAD
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if [ $# -gt 0 ]; then
  exec "$python" -B "$1" "$module" "${@:2}"
fi
failed=0
for test in wire_test acl_test fork_test replica_test restore_test blocked_test python_driver_test \
  npm_driver_test "mixed_load_test --seconds 20" \
  "mixed_load_test --seconds 20 --preamble no" "latency --size 2000 --seconds 2"; do
  read -r name options <<<"$test"
  echo "== $name"
  # shellcheck disable=SC2086
  "$python" -B "$here/$name.py" "$module" $options || { code=$?; [ "$code" -eq 77 ] || failed=1; }
done
exit "$failed"
