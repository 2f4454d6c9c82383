# Thousands of mutations of a file of each format that another library defines. usage: mutations.sh MUTATE COUNT
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$(dirname "$0")/make_formats.sh"
make_formats "$work" 60 4
cd "$work" || exit 1
files=(stored.npz deflated.npz)
have hnswlib python3-hnswlib && files+=(l2.hnswlib flat.hnswlib)
have faiss python3-faiss && files+=(l2.faiss idmap.faiss)
have h5py python3-h5py && files+=(plain.hdf5 packed.hdf5)
# A build without libhdf5 or libzip refuses every file of theirs: there is nothing to mutate.
readable=()
for file in "${files[@]}"; do
  "$1" 0 "$file" && readable+=("$file")
done
[ "${#readable[@]}" -gt 0 ] || { echo "FAILED: none of ${files[*]} is read"; exit 1; }
exec "$1" "$2" "${readable[@]}"
