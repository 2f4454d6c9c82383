"""Store: one LMDB environment on disk that holds any number of named indexes."""

from __future__ import annotations

import atexit
import ctypes
import itertools
import json
import os
import weakref
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, Union, Unpack

import numpy as np
import numpy.typing as npt

from . import _arrays, _call, _structs
from ._callbacks import Callbacks, leave
from ._errors import Error, NotFound
from ._index import Index
from ._library import Handle, check, free_of, lib, new
from ._options import IndexSettings, index_options, index_options_struct, refuse_others
from ._stream import Path, resume_all
from ._types import Event, StoredStats, Vectors, answer
from ._words import Durability

_open_stores: "weakref.WeakSet[Store]" = weakref.WeakSet()


def _close_all():
    # While Python can still run what the library calls: events, and what the caller registered.
    resume_all()
    leave()
    for store in list(_open_stores):
        try:
            store.close()
        except Error:
            pass


atexit.register(_close_all)


class Store:
    """A store on disk, opened: Store("memory.vic"), best as a context manager.

    path              A folder; made when it is not there and `create` says so.
    durability        "full" (default): each write survives a power cut; "relaxed": a killed
                      process; "none": nothing is promised before sync() or a clean close.
    create            Default True.
    read_only         Every write raises ReadOnly. Works beside a writer process if lock.mdb may be
                      written; where it may not, readers and writers exclude each other (Busy). Each
                      index is as it was when it was opened. Default False.
    background        A thread of the store writes checkpoints and repairs when they are due.
                      Default True.
    map_bytes         Bytes of address space at first; grows by itself.
    max_map_bytes     Most bytes the file may grow to; Full beyond. 0 (default): no limit.
    checkpoint_bytes  Bytes of vectors after which a checkpoint is due, default 64 MiB.
    file_mode         Permissions of new files before the umask, default 0o666.
    on_event          A callable that takes an Event: what happens and no call returns. From any
                      thread, perhaps several at once. What it raises goes to sys.unraisablehook.

    One process opens a path for writing once. Any thread may call anything. A Store that nobody
    refers to any more is closed, and its indexes with it: keep it as long as them. Stores that are
    open when the interpreter exits are closed. In a child after fork() everything raises Closed; the
    child may open the store itself.
    Errors: NotFound (no store there and not `create`), InvalidArgument (a file, or a folder with
    other content), Busy (open for writing elsewhere), IoError, Corruption, FormatVersion (see
    vicinal.convert()).
    """

    def __init__(
        self,
        path: Path,
        *,
        durability: Optional[Union[str, int, Durability]] = None,
        create: Optional[bool] = None,
        read_only: Optional[bool] = None,
        background: Optional[bool] = None,
        map_bytes: Optional[int] = None,
        max_map_bytes: Optional[int] = None,
        checkpoint_bytes: Optional[int] = None,
        file_mode: Optional[int] = None,
        on_event: Optional[Callable[[Event], Any]] = None,
    ) -> None:
        options = new(_structs.StoreOptions)
        if durability is not None:
            options.durability = _arrays.enumerated(Durability, durability, "durability")
        flags = {"create": create, "read_only": read_only, "background": background}
        for key, wanted in flags.items():
            if wanted is not None:
                setattr(options, key, _arrays.flag(wanted, key))
        numbers = {
            "map_bytes": (map_bytes, 64),
            "max_map_bytes": (max_map_bytes, 64),
            "checkpoint_bytes": (checkpoint_bytes, 64),
            "file_mode": (file_mode, 32),
        }
        for key, (value, bits) in numbers.items():
            if value is not None:
                setattr(options, key, _arrays.unsigned(value, bits, key))
        self._path = os.fspath(path)
        encoded = _arrays.path(path)
        if on_event is not None:
            options.on_event = _on_event
            options.event_context = _listen(on_event)
            options.event_release = _on_release
        handle = Handle(free_of("vicinal_store_free"))
        try:
            check(handle.made_by(lib.vicinal_store_open, encoded, ctypes.addressof(options)))
            self._handle = handle
            _open_stores.add(self)
        except BaseException:
            handle.free()  # not left to who keeps the exception: the path is taken
            raise

    def close(self) -> None:
        """Checkpoints (unless read-only) and closes; its indexes raise Closed from then on.

        A second call does nothing.
        Errors: Busy (called inside a callback); IoError, Full (what could not be written).
        """
        check(lib.vicinal_store_close(self._handle.address))
        _open_stores.discard(self)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<vicinal.Store {self._path!r}>"

    @property
    def path(self) -> Union[str, bytes]:
        """The path as it was given."""
        return self._path

    def index(self, name: str, **settings: Unpack[IndexSettings]) -> Index:
        """The index called `name` (1 to 100 letters, digits, '_', '-', '.'), opened or created.

        The keywords are the fields of IndexOptions; `dimension` is required to create one. What is
        not given is as it is stored, or by default where the index is new. `progress` is told while
        it opens. The first call in a process loads it, by all threads; later ones give the same
        index.
        Errors: InvalidArgument (stored options differ; no dimension for a new index; a bad name),
        Corruption (see IndexOptions.salvage), IoError, Cancelled, ReadOnly, Closed.
        """
        try:
            return self.open_index(name, **settings)
        except NotFound:
            return self._index(lib.vicinal_store_index, name, settings)

    def open_index(self, name: str, **settings: Unpack[IndexSettings]) -> Index:
        """The existing index called `name`. Errors: NotFound, and as index()."""
        index = self._index(lib.vicinal_store_open_index, name, settings)
        # The library takes a default for "as it is stored"; who gave it meant it.
        refuse_others(index.options, settings, name)
        return index

    def _index(self, function, name, settings):
        # Events may come until the last handle is gone.
        handle = Handle(free_of("vicinal_index_free"))
        with Callbacks() as callbacks:
            options = index_options_struct(settings, callbacks)
            callbacks.check(
                handle.made_by(
                    function, self._handle.address, _arrays.name(name), ctypes.addressof(options)
                )
            )
        return Index._of(handle)

    def index_names(self) -> List[str]:
        """The names of the stored indexes, sorted: a list of str."""
        names: List[str] = []
        with Callbacks() as callbacks:
            callbacks.check(
                lib.vicinal_store_for_each_index_name(
                    self._handle.address, *callbacks.texts(names.append)
                )
            )
        return names

    def drop_index(self, name: str) -> None:
        """Deletes the index and everything stored for it; its handles raise Closed afterwards.

        Errors: NotFound, Busy, IoError, ReadOnly, Closed.
        """
        check(lib.vicinal_store_drop_index(self._handle.address, _arrays.name(name)))

    def checkpoint(self) -> None:
        """Checkpoints every open index."""
        check(lib.vicinal_store_checkpoint(self._handle.address))

    def sync(self) -> None:
        """Makes every acknowledged write survive a power cut, whatever the durability. After one that
        failed all fail, closing too where durability is not full: what could not be written may be lost.
        backup() has it."""
        check(lib.vicinal_store_sync(self._handle.address))

    def backup(self, path: Path) -> None:
        """Writes a compact copy of the whole store to the folder `path`, absent or empty.

        Readers and writers go on. The copy is a store of its own; this is also the way to shrink.
        """
        check(lib.vicinal_store_backup(self._handle.address, _arrays.path(path)))

    def stored_stats(self, name: str) -> StoredStats:
        """What the file says about an index, open or not, without loading it: a StoredStats.

        Errors: NotFound, Corruption, IoError, Closed.
        """
        stats, options = new(_structs.StoredStats), new(_structs.IndexOptions)
        check(
            lib.vicinal_store_stored_stats(
                self._handle.address,
                _arrays.name(name),
                ctypes.addressof(stats),
                ctypes.addressof(options),
            )
        )
        return answer(StoredStats, stats, options=index_options(options))

    def stored_vectors(
        self, name: str, labels: Iterable[Any]
    ) -> Tuple[Vectors, npt.NDArray[np.bool_]]:
        """The stored vectors of `labels`, of an index open or not, without loading it.

        Answers (vectors, live): float32 of shape (len(labels), dimension), zeros where a label is
        not live, and bools of shape (len(labels),).
        Errors: NotFound (no such index), Corruption, IoError, Closed.
        Cost: two walks over node blocks and journal for all labels together, and a read for each.
        """
        numbers = _arrays.labels(labels)
        dimension = self.stored_stats(name).options.dimension
        vectors = np.empty((numbers.size, dimension), np.float32)
        live = np.empty(numbers.size, np.bool_)
        check(
            lib.vicinal_store_stored_vectors(
                self._handle.address,
                _arrays.name(name),
                numbers.ctypes.data,
                numbers.size,
                dimension,
                vectors.ctypes.data,
                live.ctypes.data,
            )
        )
        return vectors, live

    def verify_records(self) -> Tuple[int, List[str]]:
        """Verifies the checksum of every stored record without loading graphs.

        Answers (failed, lines): how many fail, and a line for each, at most 100.
        """
        lines: List[str] = []
        failed = ctypes.c_uint64()
        with Callbacks() as callbacks:
            callbacks.check(
                lib.vicinal_store_verify_records(
                    self._handle.address,
                    *callbacks.texts(lines.append),
                    ctypes.byref(failed),
                )
            )
        return failed.value, lines

    def for_each_journal_entry(self, name: str, visit: Callable[[dict], Any]) -> None:
        """Calls visit(entry) for the journal of an index, oldest first, until it returns False.

        An entry is a dict with "seq", "op" and what belongs to it.
        Errors: NotFound, Corruption, IoError, Closed; what the callable raises.
        """
        with Callbacks() as callbacks:
            visitor = callbacks.texts(lambda entry: visit(json.loads(entry)))
            callbacks.check(
                lib.vicinal_store_for_each_journal_entry(
                    self._handle.address, _arrays.name(name), *visitor
                )
            )


# Who is told events, by the context that the library has until it releases it: a store whose last
# handle goes inside a callback is closed later, and tells events until then.
_listeners: Dict[int, Callable[[Event], Any]] = {}
_contexts = itertools.count(1)


def _listen(on_event):
    if not callable(on_event):
        raise TypeError(f"on_event must be callable, not {type(on_event).__name__}")
    context = next(_contexts)
    _listeners[context] = on_event
    return context


def _tell(context, address):
    """Tells an event; answers what the listener raised, for sys.unraisablehook."""
    try:
        _listeners[context](answer(Event, _structs.Event.from_address(address)))
    except KeyboardInterrupt:
        raise  # comes out in the main thread
    except BaseException as error:
        return error
    return None


_on_event = _structs.EventFunction(_call.on_event)
_on_release = _structs.ReleaseFunction(_call.on_release)
_call.set_event_functions(_tell, _listeners.pop)


def convert(path: Path) -> bool:
    """Makes a store of an earlier format one that this release opens.

    Answers False when there is nothing to do. It is copied beside itself, so there must be room for
    that, and the copy takes its place at once: a crash leaves one or the other.
    Errors: NotFound, InvalidArgument, Corruption as Store(); Busy (open for writing), FormatVersion
    (of a later release), IoError, Full. Nothing is changed then.
    """
    converted = ctypes.c_bool()
    check(lib.vicinal_store_convert(_arrays.path(path), ctypes.byref(converted)))
    return converted.value
