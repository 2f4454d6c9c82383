# Mutations of files of each format that another library defines: COUNT of each, HDF5_COUNT of HDF5, which starts a process
# for every one and waits for those that make libhdf5 loop.
# usage: mutations.sh MUTATE COUNT HDF5_COUNT
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$(dirname "$0")/make_formats.sh"
make_formats "$work" 60 4
binary=$1
cd "$work" || exit 1
status=0

# mutate COUNT FILE...: so many mutations in all. A build without libhdf5 or libzip refuses every file of theirs: there is
# nothing to mutate.
mutate() {
  local count=$1 file
  shift
  for file in "$@"; do
    "$binary" 0 "$file" || return 0
  done
  "$binary" $((count / $#)) "$@" || status=1
}

mutate "$2" stored.npz deflated.npz
have hnswlib python3-hnswlib && mutate "$2" l2.hnswlib flat.hnswlib
have faiss python3-faiss && mutate "$2" l2.faiss idmap.faiss
have h5py python3-h5py && mutate "$3" plain.hdf5 packed.hdf5
exit "$status"
