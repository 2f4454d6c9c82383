# Files of other libraries, written by those libraries: saved indexes of hnswlib and faiss, HDF5 as ann-benchmarks has it,
# numpy's npz. What a library is not installed for is told and left out.
. "$(dirname "$0")/make_formats.sh"
. "$(dirname "$0")/cli.sh"

make_formats files 210 8
run 0 import --store base files/base.npy --labels files/labels.npy --metric l2
run 0 dump --store base vectors --out rows.jsonl
sort rows.jsonl > labelled
run 0 import --store counted files/base.npy --metric l2
run 0 dump --store counted vectors --out rows.jsonl
sort rows.jsonl > numbered
# Every seventh of hnswlib's graphs is deleted, from the sixth on.
awk -F'[:,]' '(($2 - 1000) / 3) % 7 != 5' labelled > live

# holds STORE ROWS: the store has those rows.
holds() {
  run 0 dump --store "$1" vectors
  sort out > got
  same got "$2"
}

# metric_is STORE METRIC
metric_is() {
  run 0 stats --store "$1" --json
  says out "\"metric\":\"$2\""
}

# refused MESSAGE ARGUMENTS...: import refuses, says why, and makes nothing.
refused() {
  local message=$1
  shift
  run 1 import --store none "$@"
  says err "$message"
  says err "nothing was imported"
  [ ! -e none ] || fail "a refusal made a store: $*"
}

# npz, stored and deflated; the usual array, the only one, one by name.
"$vicinal" import --store none files/one.npz --metric l2 > out 2> err
if grep -q "has no libzip" err; then
  echo "not run: npz, which this build does not read"
else
  rm -rf none
  run 0 import --store z1 files/one.npz --metric l2
  holds z1 numbered
  run 0 import --store z2 files/stored.npz --labels files/labels.npy --metric l2
  holds z2 labelled
  run 0 import --store z3 files/deflated.npz --metric l2
  says err "elements are '<f8', rounded to float32"
  holds z3 numbered
  run 0 import --store z4 files/unclear.npz --array b --metric l2
  holds z4 numbered
  "$vicinal" import --store z5 --format npz - --metric l2 < files/one.npz > out 2> err
  holds z5 numbered
  run 0 search --store z2 --query files/stored.npz -k 1 --json
  [ "$(wc -l < out)" = 21 ] || fail "not a line a query of the array test"
  refused "say with --array which of its arrays: a, b" files/unclear.npz
  refused "no array 'c'; it has: a, b" files/unclear.npz --array c
  refused "1 axes, a matrix has 2" files/stored.npz --array other
  head -c 3000 files/stored.npz > cut.npz
  refused "cut.npz: byte 0: no zip archive" cut.npz
  cp files/base.npy none.npz
  refused "none.npz: byte 0: no zip archive" none.npz
fi

if have hnswlib python3-hnswlib; then
  for space in l2 ip; do
    refused "an hnswlib file does not say its space: say --metric" files/$space.hnswlib
    run 0 import --store h_$space files/$space.hnswlib --metric $space
    says err "a graph of hnswlib, M 12, ef_construction 80, dimension 8, 210 rows, 30 of them deleted and left out"
    holds h_$space live
  done
  run 0 dump --store h_l2 meta
  says out '"M":12'
  says out '"ef_construction":80'
  run 0 import --store h_cosine files/cosine.hnswlib --dimension 8
  says err "its space is taken for cosine"
  metric_is h_cosine cosine
  run 0 import --store h_flat files/flat.hnswlib --metric l2
  says err "a brute-force index of hnswlib, dimension 8, 210 rows"
  holds h_flat labelled
  # Into an index that is there, the metric is known.
  run 0 import --store base files/flat.hnswlib
  says out "210 unchanged"
  run 0 import --store h_empty files/empty.hnswlib --metric l2
  says out "imported 0 rows"
  # What this engine does not go below is raised.
  for links in "" "--M 32"; do
    run 0 import --store "h_narrow$links" files/narrow.hnswlib --metric l2 $links
    says out "imported 210 rows"
  done
  cp files/l2.hnswlib renamed.bin
  gzip -k renamed.bin
  run 0 import --store h_gz renamed.bin.gz --format hnswlib.gz --metric l2
  holds h_gz live
  "$vicinal" import --store h_pipe - --format hnswlib --metric l2 < files/l2.hnswlib > out 2> err
  holds h_pipe live
  refused "labels" files/l2.hnswlib --metric l2 --labels files/labels.npy
  refused "vectors of 32 bytes, dimension 9 takes 36 as float32 or 9 as uint8" files/l2.hnswlib --dimension 9 --metric l2
  size=$(wc -c < files/l2.hnswlib)
  for cut in 50 96 5000 $((size - 1)); do
    head -c $cut files/l2.hnswlib > cut.hnswlib
    refused "cut.hnswlib: byte " cut.hnswlib --metric l2
  done
  { cat files/l2.hnswlib; printf x; } > long.hnswlib
  refused "long.hnswlib: byte $size: 1 bytes after" long.hnswlib --metric l2
fi

if have h5py python3-h5py; then
  "$vicinal" import --store none files/plain.hdf5 > out 2> err
  if grep -q "has no libhdf5" err; then
    echo "not run: HDF5, which this build does not read"
  else
    rm -rf none
    for name in plain packed half; do
      run 0 import --store d_$name files/$name.hdf5
      metric_is d_$name l2
      run 0 search --store d_$name --query files/$name.hdf5 --truth files/$name.hdf5 --exact
    done
    holds d_plain numbered
    holds d_packed numbered
    run 0 search --store d_plain --query files/plain.hdf5 --truth files/packed.hdf5 --exact
    says out "recall@10 1.0000  (21 queries"
    run 0 search --store d_plain --query files/plain.hdf5 --truth files/plain.hdf5 --exact --json
    says out '"recall":1'
    run 0 import --store d_angular files/angular.hdf5
    metric_is d_angular cosine
    run 0 import --store d_test files/plain.hdf5 --array test
    says out "imported 21 rows"
    gzip -k files/packed.hdf5
    run 0 import --store d_gz files/packed.hdf5.gz
    holds d_gz numbered
    "$vicinal" import --store d_pipe - --format hdf5 < files/plain.hdf5 > out 2> err
    holds d_pipe numbered
    refused "its distance is 'hamming', which no index here has" files/strange.hdf5
    refused "no array 'trian'; it has: distances, neighbors, test, train" files/plain.hdf5 --array trian
    refused "array cube: 3 axes, a matrix has 2" files/strange.hdf5 --array cube
    refused "array bits: its elements are no real numbers" files/strange.hdf5 --array bits
    refused "array elsewhere: its numbers are in another file" files/strange.hdf5 --array elsewhere
    run 1 search --store d_plain --query files/plain.hdf5 --truth files/negative.hdf5
    says err "is negative"
    run 1 search --store d_plain --query files/plain.hdf5 --truth files/angular.hdf5
    says err "no array 'neighbors'"
    for cut in 100 4000 8000; do
      head -c $cut files/plain.hdf5 > cut.hdf5
      refused "cut.hdf5: byte 0: " cut.hdf5
    done
    refused "byte 0: no HDF5 file" files/base.npy --format hdf5
  fi
fi

if have faiss python3-faiss; then
  run 0 import --store f_l2 files/l2.faiss
  metric_is f_l2 l2
  holds f_l2 numbered
  run 0 import --store f_ip files/ip.faiss --labels files/labels.npy
  metric_is f_ip inner_product
  holds f_ip labelled
  for name in idmap idmap2; do
    run 0 import --store f_$name files/$name.faiss
    holds f_$name labelled
    refused "its rows carry labels" files/$name.faiss --first-label 5
  done
  refused "its metric is faiss's number 2, which no index here has" files/l1.faiss
  run 0 import --store f_l1 files/l1.faiss --metric l2
  holds f_l1 numbered
  refused 'byte 0: "IHNf" is no flat index of faiss' files/hnsw.faiss
  size=$(wc -c < files/idmap.faiss)
  for cut in 3 30 45 1000 $((size - 9)) $((size - 1)); do
    head -c $cut files/idmap.faiss > cut.faiss
    refused "cut.faiss: byte " cut.faiss
  done
  { cat files/l2.faiss; printf x; } > long.faiss
  refused "1 bytes after the index" long.faiss
fi
finish
