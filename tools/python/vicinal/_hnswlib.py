"""What the two kinds of index of vicinal.hnswlib share: rows, ids, room, files.

A deleted element is erased from the index within, and its vector kept here: it may be asked back.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import struct
import threading
import zlib
from typing import Any, Dict, Optional, Tuple

import numpy as np

from . import _arrays, _index, _structs
from ._errors import Error
from ._library import Handle, check, free_of, lib, new
from ._stream import replacing
from ._types import NO_LABEL, Labels, Vectors
from ._words import Metric

_METRICS = {"l2": "squared_l2", "ip": "inner_product", "cosine": "cosine"}
# Behind the index in a stream: this, max_elements, the number of deleted rows, their labels and
# vectors, and the CRC-32 of all that.
_MAGIC = b"vicinal.hnswlib1"
_STREAM = b"VICINDEX"  # how a stream begins (persist/FORMAT.md)
_COUNTS = struct.Struct("<QQ")


@contextlib.contextmanager
def errors():
    """What vicinal refuses, as hnswlib's exceptions."""
    try:
        yield
    except Error as error:
        raise RuntimeError(str(error)) from error


class Common:
    """What both kinds of index have."""

    # Guards `_deleted`, `_next` and `_max_elements`; held while rows are written.
    _lock: Any

    def __init__(self, space: str, dim: int) -> None:
        if space not in _METRICS:
            raise RuntimeError("Space name must be one of l2, ip, or cosine.")
        self._lock = threading.RLock()
        self._space, self._dim = space, dim
        self._index: Optional[_index.Index] = None
        self._max_elements = 0
        self._next = 0  # the first id of rows without ids
        self._deleted: Dict[int, Vectors] = {}  # erased in _index, and may come back
        self.num_threads = os.cpu_count() or 1

    @property
    def space(self) -> str:
        """The space's name: "l2", "ip" or "cosine"."""
        return self._space

    @property
    def dim(self) -> int:
        """Components of a vector."""
        return self._dim

    def __repr__(self) -> str:
        return f"<hnswlib.{type(self).__name__}(space='{self._space}', dim={self._dim})>"

    def _ready(self):
        if self._index is None:
            raise RuntimeError("The index is not initiated: call init_index() or load_index()")
        return self._index

    def _make(self, max_elements, **options):
        if self._index is not None:
            raise RuntimeError("The index is already initiated.")
        with errors():
            self._index = _index.Index(
                dimension=self._dim, metric=_METRICS[self._space], **options
            )
        self._max_elements, self._next = int(max_elements), 0

    def set_num_threads(self, num_threads: int) -> None:
        """Sets the threads of add_items() and knn_query()."""
        self.num_threads = num_threads

    def _threads(self, asked):
        return max(1, min(asked if asked > 0 else self.num_threads, 4096))

    def get_max_elements(self) -> int:
        """Elements for which there is room, the deleted ones among them."""
        return self._max_elements

    def get_current_count(self) -> int:
        """Elements stored, the deleted ones among them."""
        with self._lock:
            return 0 if self._index is None else len(self._index) + len(self._deleted)

    def _rows(self, data):
        rows = np.asarray(data, np.float32)
        if rows.ndim not in (1, 2):
            raise RuntimeError("Input vector data wrong shape. Number of dimensions "
                               f"{rows.ndim}. Data must be a 1D or 2D array.")
        rows = rows.reshape(1, -1) if rows.ndim == 1 else rows
        if rows.shape[1] != self._dim:
            raise RuntimeError("Wrong dimensionality of the vectors")
        if self._space == "cosine":
            norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
            rows = rows / (norms + np.float32(1e-30))[:, None]
        return np.ascontiguousarray(rows)

    def _ids(self, ids, count):
        if ids is None:
            return np.arange(self._next, self._next + count, dtype=np.uint64)
        ids = np.asarray(ids)
        if not (ids.shape == (count,) or ids.ndim == 0 and count == 1):
            raise RuntimeError("The input label shape does not match the input data vector shape")
        return ids.reshape(count).astype(np.uint64)

    def _store(self, rows, ids, threads, replace):
        """Under the lock: makes room, writes, and takes what was written from the deleted."""
        index = self._ready()
        wanted = set(ids.tolist()) if self._deleted or self._crowded(len(ids)) else set()
        back = self._deleted.keys() & wanted
        fresh = [id for id in wanted if id not in back and id not in index]
        gone = [label for label in self._deleted if label not in back] if replace else []
        gone = gone[: len(fresh)]
        if self._crowded(len(fresh) - len(gone)) and wanted:
            raise RuntimeError("The number of elements exceeds the specified limit")
        with errors():
            index.upsert_batch(ids, rows, threads=threads)
        for label in (*back, *gone):
            del self._deleted[label]
        self._next += len(ids)

    def _crowded(self, more):
        return self.get_current_count() + more > self._max_elements

    def _search(self, data, k, num_threads, filter, **how) -> Tuple[Labels, Vectors]:
        index, rows = self._ready(), self._rows(data)
        with errors():
            labels, distances = index.search(
                rows, k, filter=filter, threads=self._threads(num_threads), **how
            )
        if k and ((labels[:, -1] == NO_LABEL) & np.isinf(distances[:, -1])).any():
            raise RuntimeError("Cannot return the results in a contiguous 2D array. Probably ef or "
                               "M is too small")
        return labels, distances

    def save_index(self, path_to_index: str) -> None:
        """Writes the index to a file, the deleted elements and max_elements with it."""
        data = self._to_bytes()
        try:
            with replacing(path_to_index) as file:
                file.write(data)
        except OSError as error:
            raise RuntimeError(f"Cannot open file: {error}") from error

    def _to_bytes(self):
        with self._lock, errors():
            file = io.BytesIO()
            self._ready().save(file)
            rest = _MAGIC + _COUNTS.pack(self._max_elements, len(self._deleted))
            rest += np.fromiter(self._deleted, np.uint64).tobytes()
            rest += b"".join(row.tobytes() for row in self._deleted.values())
            file.write(rest + struct.pack("<I", zlib.crc32(rest)))
            return file.getvalue()

    def _load(self, path, max_elements):
        try:
            with open(path, "rb") as file:
                start = file.read(len(_STREAM))
                data = start + file.read() if start == _STREAM else None
        except OSError as error:
            raise RuntimeError(f"Cannot open file: {error}") from error
        if data is not None:
            self._read(data, max_elements)
        else:
            self._read_file_of_hnswlib(path, max_elements)

    def _read(self, data, max_elements=0):
        """Takes over what _to_bytes() wrote, or the stream of a vicinal.Index."""
        file = io.BytesIO(data)
        with self._lock, errors():
            index = _index.Index.load(file, dimension=self._dim)
            if index.options.metric != Metric[_METRICS[self._space].upper()]:
                raise RuntimeError(f"the file's metric is {index.options.metric}, the space is "
                                   f"{self._space}")
            rest = file.read()
            self._max_elements, self._deleted = _rest(rest, self._dim) if rest else (0, {})
            self._index = index
            self._next = count = self.get_current_count()
            self._max_elements = max(max_elements or self._max_elements, count)

    def _options_of(self, info):
        """Options of the index for the rows of a file of hnswlib's; None: it is of another kind."""
        raise NotImplementedError

    def _read_file_of_hnswlib(self, path, max_elements):
        with self._lock, errors():
            file, info = Handle(free_of("vicinal_hnswlib_free")), new(_structs.HnswlibInfo)
            check(file.made_by(lib.vicinal_hnswlib_open, _arrays.path(path), self._dim))
            check(lib.vicinal_hnswlib_get_info(file.address, ctypes.addressof(info)))
            options = self._options_of(info)
            if options is None:
                raise RuntimeError("Index seems to be corrupted or unsupported")
            labels, rows = np.empty(info.rows, np.uint64), np.empty((info.rows, self._dim), "f4")
            deleted, read = np.empty(info.rows, np.bool_), ctypes.c_size_t()
            arrays = (labels.ctypes.data, rows.ctypes.data, deleted.ctypes.data)
            check(lib.vicinal_hnswlib_read(file.address, 0, info.rows, self._dim, *arrays,
                                           ctypes.byref(read)))
            index = _index.Index(dimension=self._dim, metric=_METRICS[self._space], **options)
            index.upsert_batch(labels[~deleted], rows[~deleted])
            self._deleted = dict(zip(labels[deleted].tolist(), rows[deleted]))
            self._index, self._next = index, info.rows
            self._max_elements = max(max_elements or info.capacity, info.rows)


def _rest(data, dim):
    """max_elements and the deleted rows, of what stands behind an index."""
    start = len(_MAGIC) + _COUNTS.size
    if data[: len(_MAGIC)] == _MAGIC and len(data) >= start + 4:
        most, count = _COUNTS.unpack_from(data, len(_MAGIC))
        (crc,) = struct.unpack("<I", data[-4:])
        if len(data) == start + count * (8 + 4 * dim) + 4 and crc == zlib.crc32(data[:-4]):
            labels = np.frombuffer(data, np.uint64, count, start)
            rows = np.frombuffer(data, np.float32, count * dim, start + 8 * count)
            return most, dict(zip(labels.tolist(), rows.reshape(count, dim).copy()))
    raise RuntimeError("Index seems to be corrupted or unsupported")
