#!/usr/bin/env bash
# Installs the packages of ARCHITECTURE in FOLDER into fresh roots of Debian 12, made by debootstrap, by
# apt and nothing but their own dependencies, and uses them there: the tool and a program that was
# compiled elsewhere in a root without a compiler, then a program compiled against libvicinal-dev.
# Those of another architecture run by qemu-user. To be run as root; `tools/debian --test` does.
# usage: fresh_root.sh ARCHITECTURE FOLDER [MIRROR]
set -euo pipefail
architecture="$1" folder="$(cd "$2" && pwd)"
mirror=("${@:3}")
here="$(cd "$(dirname "$0")" && pwd)"
own="$(dpkg --print-architecture)"

if [ "$architecture" != "$own" ] && [ "$architecture" = arm64 ] &&
  [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
  echo "this kernel does not start aarch64 programs: packages qemu-user-static and binfmt-support," \
    "then: update-binfmts --enable qemu-aarch64" >&2
  exit 1
fi

work="$(mktemp -d)"
root="$work/root"
cleanup() {
  umount "$root/proc" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT

echo "== a fresh root for $architecture"
debootstrap --arch="$architecture" --variant=minbase bookworm "$root" "${mirror[@]}" \
  >"$work/debootstrap.log" 2>&1 || {
  tail -n 20 "$work/debootstrap.log"
  exit 1
}
mount -t proc proc "$root/proc"
mkdir "$root/packages" "$root/program"
cp "$folder"/*_"$architecture".deb "$root/packages"
cp "$here/../consumer/c_project/main.c" "$here/use_tool.sh" "$here/use_python.py" "$root/program"

# inside COMMAND...: runs it in the root.
inside() {
  chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
    DEBIAN_FRONTEND=noninteractive "$@"
}
# install PACKAGE...: by apt, as a user would; files of ours by their path.
install() { inside apt-get install -y -qq --no-install-recommends "$@" >"$work/apt.log" 2>&1 || {
  tail -n 30 "$work/apt.log"
  exit 1
}; }
# ours NAME: the package's file within the root.
ours() { (cd "$root" && echo packages/"$1"_*.deb) | sed 's#^#/#'; }

echo "== the tool, without a compiler"
install "$(ours libvicinal0)" "$(ours vicinal-tools)"
if inside sh -c 'command -v cc g++ clang'; then
  echo "there is a compiler in a root that should have none"
  exit 1
fi
inside sh -e /program/use_tool.sh vicinal
inside sh -c 'ldconfig -p | grep -F "libvicinal.so.0"'

module=()
if [ -e "$root$(ours python3-vicinal)" ]; then
  module=(python3-vicinal)
  echo "== the Python module, without a compiler"
  install "$(ours python3-vicinal)"
  inside /usr/bin/python3 /program/use_python.py
fi

echo "== programs in C, by libvicinal-dev and pkg-config"
install "$(ours libvicinal-dev)" gcc libc6-dev pkg-config
inside sh -ec 'cd /program
  cc -std=c11 -Wall -Werror main.c -o consumer $(pkg-config --cflags --libs vicinal-c)
  ./consumer'

echo "== what C++ programs need besides a compiler"
inside sh -ec 'pkg-config --static --cflags --libs vicinal'

echo "== removed again"
inside apt-get purge -y -qq libvicinal0 libvicinal-dev vicinal-tools "${module[@]}" >"$work/apt.log" 2>&1
if inside sh -c 'ldconfig -p | grep vicinal || find /usr /etc -name "*vicinal*" | grep .'; then
  echo "something was left behind"
  exit 1
fi
echo "== $architecture: all well"
