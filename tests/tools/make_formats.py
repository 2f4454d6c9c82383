"""Writes files of vectors with the libraries that define their formats.

usage: make_formats.py FOLDER ROWS DIMENSION

Every library that can be imported writes its files; its name is printed, a line each. The rows are
multiples of 1/64, so that they are exact in every element that is written.
"""
import importlib
import os
import sys

import numpy

folder, rows, dimension = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random = numpy.random.default_rng(7)
base = (random.integers(-64, 64, (rows, dimension)) / 64).astype("<f4")
base[:, 0] = 1 + numpy.arange(rows) / 1024  # no zero vector, none twice
labels = 1000 + 3 * numpy.arange(rows)
query = base[: rows // 10] + numpy.float32(1 / 128)
difference = query[:, None, :].astype("f8") - base[None, :, :]
order = numpy.argsort((difference**2).sum(axis=2), axis=1, kind="stable")[:, :10]


def have(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def path(name):
    return folder + "/" + name


print("numpy")
numpy.save(path("base.npy"), base)
numpy.save(path("labels.npy"), labels)
numpy.savez(path("one.npz"), base)
numpy.savez(path("stored.npz"), train=base, test=query, other=base[0])
numpy.savez_compressed(path("deflated.npz"), train=base.astype("f8"), test=query)
numpy.savez(path("unclear.npz"), a=base, b=base)

hnswlib = have("hnswlib")
if hnswlib:
    print("hnswlib")
    for space in ("l2", "ip", "cosine"):
        index = hnswlib.Index(space=space, dim=dimension)
        index.init_index(max_elements=rows + 10, ef_construction=80, M=12)
        index.add_items(base, labels, num_threads=1)
        for label in labels[5::7]:
            index.mark_deleted(label)
        index.save_index(path(space + ".hnswlib"))
    empty = hnswlib.Index(space="l2", dim=dimension)
    empty.init_index(max_elements=5)
    empty.save_index(path("empty.hnswlib"))
    narrow = hnswlib.Index(space="l2", dim=dimension)
    narrow.init_index(max_elements=rows, M=2, ef_construction=10)
    narrow.add_items(base, num_threads=1)
    narrow.save_index(path("narrow.hnswlib"))
    flat = hnswlib.BFIndex(space="l2", dim=dimension)
    flat.init_index(max_elements=rows + 10)
    flat.add_items(base, labels)
    flat.save_index(path("flat.hnswlib"))

h5py = have("h5py")
if h5py:
    print("h5py")
    for name, kind, how in (
        ("plain", "<f4", {}),
        ("packed", ">f8", {"compression": "gzip", "shuffle": True, "chunks": (7, dimension)}),
        ("half", "<f2", {"chunks": (16, 3)}),
    ):
        with h5py.File(path(name + ".hdf5"), "w") as file:
            file.attrs["distance"] = "euclidean"
            file.create_dataset("train", data=base.astype(kind), **how)
            file.create_dataset("test", data=query.astype("f4"))
            file.create_dataset("neighbors", data=order.astype("i8" if how else "i4"), **(
                {"compression": "gzip"} if how else {}))
            file.create_dataset("distances", data=numpy.zeros(order.shape, "f4"))
    with h5py.File(path("angular.hdf5"), "w") as file:
        file.attrs["distance"] = numpy.bytes_("angular")
        file["train"] = base
    with h5py.File(path("strange.hdf5"), "w") as file:
        file.attrs["distance"] = "hamming"
        file["train"] = base
        file["bits"] = base > 0
        file["cube"] = base.reshape(1, rows, dimension)
        file["elsewhere"] = h5py.ExternalLink(os.path.abspath(path("plain.hdf5")), "train")
        file["negative"] = -order.astype("i4") - 1
    with h5py.File(path("negative.hdf5"), "w") as file:
        file["neighbors"] = -order.astype("i4") - 1

faiss = have("faiss")
if faiss:
    print("faiss")
    for name, index in (
        ("l2", faiss.IndexFlatL2(dimension)),
        ("ip", faiss.IndexFlatIP(dimension)),
        ("l1", faiss.IndexFlat(dimension, faiss.METRIC_L1)),
    ):
        index.add(base)
        faiss.write_index(index, path(name + ".faiss"))
    for name, kind in (("idmap", faiss.IndexIDMap), ("idmap2", faiss.IndexIDMap2)):
        index = kind(faiss.IndexFlatL2(dimension))
        index.add_with_ids(base, labels)
        faiss.write_index(index, path(name + ".faiss"))
    index = faiss.IndexHNSWFlat(dimension, 8)
    index.add(base)
    faiss.write_index(index, path("hnsw.faiss"))
