"""An index as bytes: saved to and loaded from files, streams and memory; pickled; writes paused."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import stat
import threading
import weakref
from typing import Any, Dict, Iterator, Protocol, Tuple, Type, TypeVar, Union, Unpack

from ._callbacks import Callbacks
from ._errors import Closed, InvalidArgument
from ._library import Handle, check, free_of, lib
from ._options import IndexSettings, index_options_struct

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
Made = TypeVar("Made", bound="Streaming")

# What is not stored in the bytes, and goes with a pickled index all the same.
_PICKLED = ("repair_share", "threads", "rebuild_on_upsert")


class Writable(Protocol):
    """What save() uses of a file: write(bytes)."""

    def write(self, data: bytes, /) -> Any: ...


class Readable(Protocol):
    """What load() uses of a file: read(count), which answers at most so many bytes."""

    def read(self, count: int, /) -> Any: ...


_paused: "weakref.WeakSet[PausedWrites]" = weakref.WeakSet()


def resume_all() -> None:
    """Lets all paused writes go on. For the exit: other threads may wait for them."""
    for paused in list(_paused):
        paused.resume()


class PausedWrites:
    """Writes of an index that are paused: see Index.pause_writes()."""

    # Not left to the last reference, which an exception's traceback may hold: writes wait for it.

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._lock = threading.Lock()
        self._saving = 0
        self._over = False
        _paused.add(self)

    def save(self, to: Union[Path, Writable]) -> None:
        """As Index.save(), of the index that stands still.

        Works in a child made by os.fork() while the writes are paused, too; the child should then
        end with os._exit().
        Errors: as Index.save(); InvalidArgument (vectors are not in memory), Busy (another save() of
        this pause is under way), Closed (the writes go on again).
        """
        counted = False
        try:
            with self._lock:
                if self._over:
                    raise Closed("the writes go on again")
                self._saving += 1
                counted = True
            _save(lib.vicinal_paused_writes_save, self._handle, to)
        finally:
            if counted:
                with self._lock:
                    self._saving -= 1
                    self._free_unused()

    def resume(self) -> None:
        """Lets the writes go on, once no save() of another thread runs; as the end of the `with`
        does."""
        with self._lock:
            self._over = True
            self._free_unused()

    def _free_unused(self):
        if self._over and not self._saving:
            self._handle.free()

    def __enter__(self) -> PausedWrites:
        return self

    def __exit__(self, *_: object) -> None:
        self.resume()


class Streaming:
    """The part of Index that is about bytes."""

    _handle: Any

    def save(self, to: Union[Path, Writable]) -> None:
        """Writes the index as it is at one moment: vectors, links and the options stored with it.

        to  A path: the file is replaced once all is written and synced, so that there is the old
            one or the new one. Or an object with write(bytes), such as a file opened in binary
            mode, a socket's makefile("wb") or an io.BytesIO; what follows may be written behind.

        Writers go on. What the object raises comes out of the call.
        Errors: OSError for a path; Corruption, IoError (vectors that are not in memory), Closed.
        Cost: reads what it writes.
        """
        handle = self._handle
        _save(lib.vicinal_index_save, handle, to)

    @classmethod
    def load(
        cls: Type[Made], source: Union[Path, Readable], **settings: Unpack[IndexSettings]
    ) -> Made:
        """An index in memory of what save() wrote, links included: no vector is linked anew.

        source    A path; or an object with read(count), of which the bytes of the index are taken
                  and not one more.
        settings  Fields of IndexOptions that are not stored, and progress. A stored one may be
                  given as it is stored.

        What the object raises comes out of the call.
        Errors: OSError for a path; InvalidArgument (settings), FormatVersion (a later release wrote
        it), Corruption (no index, damaged, or it ends early), Cancelled.
        """
        if isinstance(source, (str, bytes, os.PathLike)):
            with open(source, "rb", buffering=0) as file:
                return cls._read_of(_reader(file), settings)
        return cls._read_of(_reader(source), settings)

    @classmethod
    def _read_of(cls, give, settings):
        handle = Handle(free_of("vicinal_index_free"))
        with Callbacks() as callbacks:
            tuning = index_options_struct(settings, callbacks)
            callbacks.check(
                handle.made_by(
                    lib.vicinal_index_load, *callbacks.source(give), ctypes.addressof(tuning)
                )
            )
        return cls._of(handle)

    def to_bytes(self) -> bytes:
        """The index as save() writes it, in memory. Errors: as save()."""
        to = io.BytesIO()
        self.save(to)
        return to.getvalue()

    @classmethod
    def from_bytes(cls: Type[Made], data: Any, **settings: Unpack[IndexSettings]) -> Made:
        """As load(), of to_bytes(): bytes, or any contiguous buffer of them.

        Errors: as load(); InvalidArgument where more bytes follow.
        """
        view = memoryview(data).cast("B")
        at = 0

        def give(count):
            nonlocal at
            piece = view[at : at + count]
            at += len(piece)
            return piece

        made = cls._read_of(give, settings)
        if at != len(view):
            raise InvalidArgument(f"{len(view) - at} bytes follow the {at} of the index")
        return made

    def pause_writes(self) -> PausedWrites:
        """Waits until no write is at work, and has those that follow wait; searches go on.

            with index.pause_writes() as paused:
                paused.save("copy.vicinal")

        For hosts that fork to save: fork while it lasts, paused.save() in the child.
        Threads: any, several at once. The thread that paused is refused (Busy) what would wait for
        itself: writes, repair, rebuild, checkpoint, reserve, closing the store.
        Errors: Busy in a callback of any index; Closed.
        """
        index = self._handle
        handle = Handle(free_of("vicinal_paused_writes_free"), keeps=index)
        try:
            check(handle.made_by(lib.vicinal_index_pause_writes, index.address))
            return PausedWrites(handle)
        except BaseException:
            handle.free()  # not left to who keeps the exception: writes wait for it
            raise

    def __reduce__(self: Any) -> Tuple[Any, ...]:
        if self.stats().name:
            raise TypeError("an index of a store can be neither copied nor pickled: save() it")
        options = self.options
        settings = {key: getattr(options, key) for key in _PICKLED}
        return _unpickled, (type(self), self.to_bytes(), settings)


def _unpickled(kind: Any, data: bytes, settings: Dict[str, Any]) -> Any:
    return kind.from_bytes(data, **settings)


def _save(function, handle, to):
    if isinstance(to, (str, bytes, os.PathLike)):
        with replacing(to) as file:
            _save(function, handle, file)
        return
    write = _writer(to)
    with Callbacks() as callbacks:
        callbacks.check(function(handle.address, *callbacks.sink(write)))


@contextlib.contextmanager
def replacing(path) -> Iterator[Any]:
    """A file for writing that takes the place of the one at `path` once all went well."""
    path = os.path.realpath(os.fsdecode(path))
    before = None
    with contextlib.suppress(FileNotFoundError):
        before = os.stat(path)
        if not stat.S_ISREG(before.st_mode):  # a pipe, a device: nothing to replace
            with open(path, "wb", buffering=0) as file:
                yield file
            return
    # A name may be as long as the folder takes.
    folder, name = os.path.split(path)
    name = os.fsdecode(os.fsencode(name)[:200])
    draft = os.path.join(folder, f"{name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with open(draft, "xb", buffering=0) as file:
            if before is not None:
                _take_over(file.fileno(), before)
            yield file
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def _take_over(file, before):
    """Gives `file` the owner and the permissions of what it replaces, as far as this process may."""
    os.fchmod(file, 0o600)  # until the owner is right
    with contextlib.suppress(OSError):
        os.fchown(file, before.st_uid, before.st_gid)
    os.fchmod(file, stat.S_IMODE(before.st_mode))


def _writer(to):
    if not hasattr(to, "write"):
        raise TypeError(f"an index is saved to a path or to an object with write(), not to a "
                        f"{type(to).__name__}")
    raw = isinstance(to, io.RawIOBase)

    def write(data):
        taken = to.write(data)
        if not raw:
            return
        # A raw file may take a part.
        rest = memoryview(data)
        while taken is None or taken < len(rest):
            if not taken:
                raise BlockingIOError("the file takes no more bytes at this time")
            rest = rest[taken:]
            taken = to.write(rest)

    return write


def _reader(source):
    if not hasattr(source, "read"):
        raise TypeError(f"an index is loaded from a path or from an object with read(), not from a "
                        f"{type(source).__name__}")

    def give(count):
        data = source.read(count)
        if data is None:
            raise BlockingIOError("the file has no bytes at this time")
        if isinstance(data, str):
            raise TypeError("read() answered a str: open the file in binary mode")
        return data

    return give
