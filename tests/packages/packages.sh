#!/usr/bin/env bash
# Packs BUILD as Debian packages, looks into them, unpacks them into a folder and uses them there.
# usage: packages.sh BUILD WORK CC PREFIX LIBDIR   PREFIX and LIBDIR as BUILD was configured
set -euo pipefail
build="$1" work="$2" cc="$3" prefix="$4" libdir="$5"
here="$(cd "$(dirname "$0")" && pwd)"
source="$(cd "$here/../.." && pwd)"

for program in dpkg-deb dpkg-shlibdeps dpkg-architecture file readelf pkg-config; do
  if ! command -v "$program" >/dev/null; then
    echo "skipped: $program is not installed"
    exit 77
  fi
done
architecture="$(dpkg --print-architecture)"
triplet="$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null)"
if [ "$prefix" != /usr ] || [ "$libdir" != "lib/$triplet" ]; then
  echo "skipped: configured for $prefix and $libdir, packages are for /usr and lib/$triplet"
  exit 77
fi

bad=0
# expect WHAT COMMAND...: WHAT is what COMMAND shows.
expect() {
  if ! "${@:2}"; then
    echo "not so: $1"
    bad=1
  fi
}
# field PACKAGE FIELD; files PACKAGE: paths without those of folders; has TEXT PATTERN
field() { dpkg-deb -f "$work/packages/$1"_*.deb "$2"; }
files() { dpkg-deb -c "$work/packages/$1"_*.deb | awk '$1 !~ /^d/ { print $6 }' | sed 's#^\.##'; }
has() { grep -qE "$2" <<<"$1"; }

rm -rf "$work"
mkdir -p "$work"
bash "$source/tools/cmake/pack.sh" "$build" "$architecture" "$work/packages"
packages="libvicinal-dev libvicinal0 vicinal-tools"
# Where Python's headers are, its module is built and has a package.
if ls "$work/packages"/python3-vicinal_* >/dev/null 2>&1; then packages="$packages python3-vicinal"; fi

echo "== names and what they need"
for package in $packages; do
  version="$(field "$package" Version)"
  expect "the file of $package is named by Debian's rules" \
    test -f "$work/packages/${package}_${version}_$architecture.deb"
  expect "$package is for $architecture" test "$(field "$package" Architecture)" = "$architecture"
  expect "$package has a copyright file" \
    has "$(files "$package")" "^/usr/share/doc/$package/copyright\$"
  expect "$package is described" test "$(field "$package" Description | wc -l)" -gt 1
done
version="$(field libvicinal0 Version)"
for library in libc6 'libstdc\+\+6' liblmdb0 libxxhash0 libhwy1 libroaring0 libfmt9; do
  for package in libvicinal0 vicinal-tools; do
    expect "$package depends on $library" has "$(field $package Depends)" "(^| )$library( |,|\$)"
  done
done
expect "the development files go with their library" \
  has "$(field libvicinal-dev Depends)" "libvicinal0 \(= $version\)"
for library in libhwy-dev libfmt-dev liblmdb-dev libroaring-dev libxxhash-dev; do
  expect "who links the static library has $library" has "$(field libvicinal-dev Depends)" "$library"
done
if [[ "$packages" == *python3* ]]; then
  for needed in 'python3 \(>= 3\.11\)' python3-numpy "libvicinal0 \(= $version\)"; do
    expect "python3-vicinal depends on $needed" \
      has "$(field python3-vicinal Depends)" "(^| )$needed(,|\$)"
  done
  for file in __init__.py _call.abi3.so py.typed; do
    expect "python3-vicinal has $file" \
      has "$(files python3-vicinal)" "^/usr/lib/python3/dist-packages/vicinal/$file\$"
  done
fi
dpkg-deb -e "$work/packages/libvicinal0_${version}_$architecture.deb" "$work/control"
expect "programs that link the library will depend on its package" \
  has "$(cat "$work/control/shlibs")" "^libvicinal 0 libvicinal0"
expect "the linker's cache is renewed" grep -rq ldconfig "$work/control"

echo "== files"
library="/usr/lib/$triplet"
expect "libvicinal0 is the library and nothing to build with" test "$(files libvicinal0 | sort)" = \
  "$(printf '%s\n' "$library/libvicinal.so.0" "$library/libvicinal.so.${version%-*}" \
    /usr/share/doc/libvicinal0/copyright)"
for file in /usr/include/vicinal.h /usr/include/vicinal/index.h "$library/libvicinal.a" \
  "$library/libvicinal.so" "$library/pkgconfig/vicinal-c.pc" "$library/pkgconfig/vicinal.pc" \
  "$library/cmake/vicinal/vicinalConfig.cmake"; do
  expect "libvicinal-dev has $file" has "$(files libvicinal-dev)" "^$file\$"
done
expect "vicinal-tools has the command" has "$(files vicinal-tools)" "^/usr/bin/vicinal\$"
for package in $packages; do files "$package"; done | grep -v /copyright | sort >"$work/packed"
expect "no file is in two packages" test -z "$(uniq -d "$work/packed")"
sed -i '/dist-packages/d' "$work/packed" # in the package only
DESTDIR="$work/whole" cmake --install "$build" --prefix /usr >/dev/null
(cd "$work/whole" && find . -not -type d | sed 's#^\.##' | grep -v /copyright | sort) >"$work/installed"
expect "the packages together are an installation" diff "$work/installed" "$work/packed"

echo "== used from a folder"
root="$work/root"
for package in $packages; do dpkg-deb -x "$work/packages/${package}_${version}_$architecture.deb" "$root"; done
expect "the soname is a link to the library" \
  test "$(readlink "$root$library/libvicinal.so.0")" = "libvicinal.so.${version%-*}"
expect "it is its soname" \
  has "$(readelf -d "$root$library/libvicinal.so.0")" "SONAME.*\[libvicinal\.so\.0\]"
expect "it names no folder to look for libraries in" \
  test -z "$(readelf -d "$root$library/libvicinal.so.0" "$root/usr/bin/vicinal" | grep -E 'RPATH|RUNPATH')"
sh -e "$here/use_tool.sh" "$root/usr/bin/vicinal"
read -ra flags <<<"$(PKG_CONFIG_PATH="$root$library/pkgconfig" pkg-config --cflags --libs vicinal-c)"
"$cc" -std=c11 -Wall -Werror "$source/tests/consumer/c_project/main.c" -o "$work/consumer" "${flags[@]}"
LD_LIBRARY_PATH="$root$library" "$work/consumer"
if [[ "$packages" == *python3* ]] && /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
  PYTHONPATH="$root/usr/lib/python3/dist-packages" PYTHONDONTWRITEBYTECODE=1 \
    LD_LIBRARY_PATH="$root$library" /usr/bin/python3 "$here/use_python.py" | tee "$work/python"
  expect "Python took the unpacked module" grep -qF "$root/usr/lib/python3" "$work/python"
fi
exit "$bad"
