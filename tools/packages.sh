# The Debian packages that this project needs, and how they are installed. Sourced by the scripts
# beside it.

packages_build="g++ cmake ninja-build ccache pkg-config libhwy-dev liblmdb-dev libxxhash-dev
  libfmt-dev libroaring-dev robin-map-dev libcereal-dev libcli11-dev nlohmann-json3-dev
  libmimalloc-dev zlib1g-dev libhdf5-dev libzip-dev"
packages_demo="wamerican"
packages_redis="redis-server redis-tools python3-redis"
packages_test="libgtest-dev libgmock-dev libbenchmark-dev clang-format clang-16 binutils
  wamerican qemu-user python3-dev python3-numpy python3-venv python3-pip python3-hnswlib
  python3-h5py python3-faiss rustc cargo rustfmt dpkg-dev file $packages_redis"
packages_fuzz="clang-16 libclang-rt-16-dev libgtest-dev libgmock-dev"
packages_lint="libgtest-dev libgmock-dev libbenchmark-dev clang-tidy-16"
packages_aarch64="g++-aarch64-linux-gnu qemu-user libhwy-dev:arm64 liblmdb-dev:arm64
  libxxhash-dev:arm64 zlib1g-dev:arm64 libfmt-dev:arm64 libroaring-dev:arm64 libmimalloc-dev:arm64
  libgtest-dev:arm64 libgmock-dev:arm64"
packages_debian="dpkg-dev file python3-dev"
packages_debian_arm64="libpython3-dev:arm64"
packages_fresh_root="debootstrap"
packages_fresh_root_arm64="qemu-user-static binfmt-support"

# Runs a command as root.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "needs root (or sudo) to run: $*" >&2
    return 1
  fi
}

# is_installed PACKAGE[:ARCHITECTURE]: without an architecture this machine's own is meant, which
# matters once another one's packages stand beside it.
is_installed() {
  local name="${1%%:*}" architecture
  architecture="$(dpkg --print-architecture)"
  if [[ "$1" == *:* ]]; then architecture="${1#*:}"; fi
  dpkg-query -W -f '${db:Status-Abbrev}${Architecture}\n' "$name" 2>/dev/null |
    grep -qE "^ii +($architecture|all)\$"
}

# The package brings a service, which nobody here uses: tests and demos start servers of their own.
stop_redis_service() {
  if command -v systemctl >/dev/null && systemctl is-active --quiet redis-server; then
    as_root systemctl disable --now redis-server >/dev/null 2>&1
  elif command -v service >/dev/null; then
    as_root service redis-server stop >/dev/null 2>&1
  fi
  return 0
}

# install_packages PACKAGE...: installs those that are missing. Asks the network for nothing when
# none is. A failure leaves dpkg's list of architectures as it was.
install_packages() {
  local missing=() package added=""
  if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian system: taking these packages, or what stands for them, as given: $*" >&2
    return 0
  fi
  for package in "$@"; do
    if ! is_installed "$package"; then missing+=("$package"); fi
  done
  if [ "${#missing[@]}" -eq 0 ]; then return 0; fi
  echo "installing: ${missing[*]}"
  if [[ "${missing[*]}" == *:arm64* ]] && ! dpkg --print-foreign-architectures | grep -qx arm64; then
    as_root dpkg --add-architecture arm64 || return 1
    added=arm64
  fi
  if as_root apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      "${missing[@]}" >/dev/null; then
    if [[ " ${missing[*]} " == *" redis-server "* ]]; then stop_redis_service; fi
    return 0
  fi
  # Where no mirror has that architecture, every later `apt-get update` would fail too.
  if [ -n "$added" ]; then as_root dpkg --remove-architecture "$added"; fi
  return 1
}
