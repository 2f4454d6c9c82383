"""Index: a searchable, mutable, durable set of labelled vectors."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Iterable, Optional, Tuple, Union, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arrays, _call, _structs
from ._callbacks import Callbacks, copied
from ._errors import InvalidArgument
from ._library import ClosedHandle, Handle, check, failure, free_of, lib, new
from ._maintenance import Maintenance
from ._options import (
    IndexOptions,
    IndexSettings,
    ProgressLike,
    index_options,
    index_options_struct,
)
from ._search import Searching
from ._stream import Streaming
from ._types import BatchResult, Node, Vectors, answer
from ._words import Storage, UpsertOutcome

# float32 or float16 components, or int8 codes and their scale.
StoredVector = Union[Vectors, NDArray[np.float16], Tuple[NDArray[np.int8], np.float32]]

_upsert_one = _call.upsert
_OUTCOMES = tuple(UpsertOutcome)
_ERASED = 0  # VICINAL_ERASED


class Index(Searching, Maintenance, Streaming):
    """A set of vectors under labels, kept searchable while it changes.

    Index(dimension=384, metric="cosine") makes one in memory; Store.index() one that is durable.
    The keywords are the fields of IndexOptions.
    Labels are integers from 0 to 2**64 - 1, vectors have `dimension` components and are kept as
    float32. Every method may be called from any thread beside any other; the GIL is released while
    the library works. An array that is being read by a call must not be written meanwhile.
    `progress` everywhere: a callable that takes a Progress(phase, done, total), a few times a
    second, from one thread at a time, not always the caller's; or a bar such as tqdm(). Returning
    False cancels, and the call raises Cancelled; what the callable raises cancels and comes out of
    the call.
    Ctrl-C is noticed when a call returns or calls back; give long work a progress callable.
    As a context manager it is closed at the end. One in memory can be pickled and copied.
    Errors: all are subclasses of vicinal.Error, but TypeError for what is no number at all.
    """

    def __init__(self, **settings: Unpack[IndexSettings]) -> None:
        handle = Handle(free_of("vicinal_index_free"))
        with Callbacks() as callbacks:
            options = index_options_struct(settings, callbacks)
            callbacks.check(
                handle.made_by(lib.vicinal_index_create, ctypes.addressof(options))
            )
        self._adopt(handle)

    @classmethod
    def _of(cls, handle):
        made = object.__new__(cls)
        made._adopt(handle)
        return made

    def _adopt(self, handle):
        self._handle = handle
        self._dimension = self._ask(lib.vicinal_index_dimension, ctypes.c_uint32)

    def _ask(self, function, kind, *arguments):
        handle = self._handle
        told = kind()
        check(function(handle.address, *arguments, ctypes.byref(told)))
        return told.value

    def close(self) -> None:
        """Lets the index go: what is durable stays, an index in memory is gone.

        Later calls raise Closed; those that other threads are inside of end as always.
        """
        self._handle = ClosedHandle("the index was closed")

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if isinstance(self._handle, ClosedHandle):
            return "<vicinal.Index, closed>"
        return f"<vicinal.Index of {self._dimension} dimensions>"

    def upsert(self, label: Any, vector: ArrayLike) -> UpsertOutcome:
        """Stores `vector`, shape (dimension,), under `label`, replacing whatever was there.

        When this returns the change is as durable as the store's durability says, and every search
        that begins later sees it. Answers an UpsertOutcome. Contiguous float32 is not copied on its
        way to the library.
        Errors: InvalidArgument (wrong dimension; NaN, infinity, or a norm without a finite distance
        to every other; under cosine a zero vector), IoError, Full (nothing changed), Busy,
        ReadOnly, Closed.
        Cost: O(ef_construction * M * dimension) and, when durable, one shared commit.
        """
        handle = self._handle
        try:
            outcome = _upsert_one(handle.address, label, vector)
        except (TypeError, OverflowError):  # a label that is no int, or out of range
            outcome = None
        if outcome is None:
            label = _arrays.label(label)
            row = _arrays.vectors(vector, "vector")
            if row.ndim != 1:
                raise InvalidArgument(f"vector must have 1 dimension, not {row.ndim}")
            outcome = _upsert_one(handle.address, label, row)
        if outcome < 0:
            raise failure(-outcome)
        return _OUTCOMES[outcome]

    def upsert_batch(
        self,
        labels: Iterable[Any],
        vectors: ArrayLike,
        *,
        threads: int = 0,
        progress: Optional[ProgressLike] = None,
    ) -> BatchResult:
        """Stores row i of `vectors`, shape (rows, dimension), under labels[i], shape (rows,).

        A label that stands twice gets its last row. Validated as a whole before anything changes,
        one transaction (very large batches: several, of which the last makes all of them count),
        linked by `threads` (0: the index's). Searches see a batch of at most an eighth of the index
        at once, a larger one piece by piece. Answers a BatchResult. See Index for `progress`.
        Errors: as upsert(), naming the first bad row; Cancelled: what was linked by then is stored
        and searchable, the rest is as if never given.
        """
        handle = self._handle
        numbers = _arrays.labels(labels)
        rows = _arrays.matrix(vectors, "vectors")
        if numbers.size != rows.shape[0]:
            raise InvalidArgument(f"{numbers.size} labels for {rows.shape[0]} vectors")
        result = new(_structs.BatchResult)
        with Callbacks() as callbacks:
            options = new(_structs.BatchOptions)
            options.threads = _arrays.unsigned(threads, 32, "threads")
            options.progress, options.progress_context = callbacks.progress(progress)
            callbacks.check(
                lib.vicinal_index_upsert_batch(
                    handle.address,
                    numbers.ctypes.data,
                    rows.ctypes.data,
                    rows.shape[0],
                    rows.shape[1],
                    ctypes.addressof(options),
                    ctypes.addressof(result),
                )
            )
        return answer(BatchResult, result)

    def get(self, label: Any) -> Vectors:
        """What is stored under `label`: a new float32 array of shape (dimension,).

        The exact bits with storage "float32", else the numbers that the vector was rounded to.

        Errors: NotFound; Corruption, IoError (the file does not give it any more); Closed.
        """
        handle = self._handle
        vector = np.empty(self._dimension, np.float32)
        check(
            lib.vicinal_index_get(
                handle.address, _arrays.label(label), vector.ctypes.data, vector.size
            )
        )
        return vector

    def get_stored(self, label: Any) -> StoredVector:
        """The same in the type that it is stored in: a new array of shape (dimension,).

        float32, or float16; with storage "int8" the int8 codes and their scale: scale * codes is
        what get() answers. Errors: as get().
        """
        handle = self._handle
        dimension, storage = self._dimension, self.options.storage
        row = np.empty(lib.vicinal_stored_bytes(storage, dimension), np.uint8)
        check(
            lib.vicinal_index_get_stored(
                handle.address, _arrays.label(label), row.ctypes.data, row.size
            )
        )
        if storage != Storage.INT8:
            return row.view(np.float16 if storage == Storage.FLOAT16 else np.float32)
        return row[:dimension].view(np.int8), row[-4:].view(np.float32)[0]

    def __contains__(self, label: Any) -> bool:
        """Whether `label` is live. Of an index whose store was closed nothing is."""
        return self._ask(lib.vicinal_index_contains, ctypes.c_bool, _arrays.label(label))

    def erase(self, label: Any) -> bool:
        """Erases `label`: hidden from every search that begins later. Answers whether it was live.

        Errors: IoError, Full, Busy, ReadOnly, Closed. Cost: O(1) and, when durable, one shared
        commit.
        """
        outcome = self._ask(lib.vicinal_index_erase, ctypes.c_int32, _arrays.label(label))
        return outcome == _ERASED

    def erase_batch(self, labels: Iterable[Any]) -> int:
        """Erases all of `labels` in one commit. Answers how many were live. Errors: as erase()."""
        handle = self._handle
        numbers = _arrays.labels(labels)
        erased = ctypes.c_uint64()
        check(
            lib.vicinal_index_erase_batch(
                handle.address, numbers.ctypes.data, numbers.size, ctypes.byref(erased)
            )
        )
        return erased.value

    def __len__(self) -> int:
        """Live vectors. Cost: O(1)."""
        return self._ask(lib.vicinal_index_size, ctypes.c_uint64)

    def __bool__(self) -> bool:
        """True, as of any object: an empty index is one, too."""
        return True

    @property
    def dimension(self) -> int:
        """Components per vector."""
        return self._dimension

    @property
    def options(self) -> IndexOptions:
        """The options in force: an IndexOptions."""
        handle = self._handle
        options = new(_structs.IndexOptions)
        check(lib.vicinal_index_get_options(handle.address, ctypes.addressof(options)))
        return index_options(options)

    def reserve(self, count: int) -> None:
        """A hint that `count` vectors will be held."""
        handle = self._handle
        check(lib.vicinal_index_reserve(handle.address, _arrays.unsigned(count, 64, "count")))

    def for_each(self, visit: Callable[[int, Vectors], Any]) -> None:
        """Calls visit(label, vector) for every live label, in no order, until it returns False.

        `vector` is an array of its own. A label that is live all the time is visited once, whatever
        is written meanwhile. The callable may call the index.
        Errors: as get(), which end the walk; what the callable raises.
        """
        handle = self._handle
        with Callbacks() as callbacks:
            callbacks.check(
                lib.vicinal_index_for_each(handle.address, *callbacks.vectors(visit))
            )

    def node(self, label: Any) -> Node:
        """The graph's node of `label`, with its links: a Node. Errors: NotFound, Closed."""
        handle = self._handle
        label = _arrays.label(label)
        nodes = []
        with Callbacks() as callbacks:
            visitor = callbacks.structs(
                _structs.NodeFunction, _structs.NodeView, lambda view: nodes.append(_node(view))
            )
            callbacks.check(lib.vicinal_index_node(handle.address, label, *visitor))
        return nodes[0]

    def for_each_node(self, visit: Callable[[Node], Any]) -> None:
        """Calls visit(node) for every node that is linked, tombstones included, in node order,
        until it returns False."""
        handle = self._handle
        with Callbacks() as callbacks:
            visitor = callbacks.structs(
                _structs.NodeFunction, _structs.NodeView, lambda view: visit(_node(view))
            )
            callbacks.check(lib.vicinal_index_for_each_node(handle.address, *visitor))


def _node(view):
    def arrays(address, kind):
        levels = range(view.link_levels)
        return tuple(copied(address[level], view.link_counts[level], kind) for level in levels)

    return Node(
        label=view.label,
        node=view.node,
        level=view.level,
        live=bool(view.live),
        links=arrays(view.links, np.uint64),
        link_nodes=arrays(view.link_nodes, np.uint32),
    )
