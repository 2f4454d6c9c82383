"""Python callables as the library's callbacks, for the length of one call.

What a callable raises ends the call, as far as it can be ended, and comes out of it; so does what a
signal's handler raises meanwhile (_lend.c).
"""

import ctypes
import os
import threading

import numpy as np

from . import _call, _structs
from ._errors import Closed
from ._library import check, text
from ._options import Progress

# A thread that asks for the GIL once the interpreter is being torn down is ended where it stands:
# in a callback that would be in the middle of the library. So calls of other threads that have
# callbacks are cancelled and waited for before.
_condition = threading.Condition()
_inside = 0
_leaving = False


def leave():
    """Ends the calls of other threads that have callbacks, and waits for them. For the exit."""
    global _leaving
    with _condition:
        _leaving = True
        _call.set_exit_error(_exiting())
        _condition.wait_for(lambda: _inside <= 0)


def _forget_other_threads():
    global _condition, _inside
    _condition = threading.Condition()
    _inside = 0


os.register_at_fork(after_in_child=_forget_other_threads)


def _exiting():
    return Closed("the interpreter is about to exit")


_on_progress = _structs.ProgressFunction(_call.on_struct)
_on_label = _structs.PredicateFunction(_call.on_label)
_on_text = _structs.TextFunction(_call.on_text)
_on_vector = _structs.VectorFunction(_call.on_vector)
_on_bytes = _structs.SinkFunction(_call.on_bytes)
_on_room = _structs.SourceFunction(_call.on_room)


class Callbacks:
    """The callbacks of one call; `with Callbacks() as callbacks: callbacks.check(lib.f(...))`.

    Each method but check() answers a function and its context, as the library takes them.
    """

    def __init__(self):
        self._lender = _call.Lender()
        self._lent = False
        self._counted = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        global _inside
        if self._counted:
            with _condition:
                _inside -= 1
                _condition.notify_all()

    def check(self, status):
        """Raises what a callable raised, or else what `status` says."""
        error = self._lender.take_error()
        try:
            if error is not None:
                raise error
        finally:
            # No cycle by way of its traceback: what this frame's callers hold goes when they end.
            del error
        check(status)

    def _lend(self, function, callable):
        global _inside
        if not self._lent and threading.current_thread() is not threading.main_thread():
            with _condition:
                if _leaving:
                    raise _exiting()
                _inside += 1
                self._counted = True
            self._lender.end_at_exit()
        self._lent = True
        return function, self._lender.lend(callable)

    def progress(self, progress):
        """A progress callable, or a bar with the interface of tqdm's."""
        if progress is None:
            return _structs.ProgressFunction(), None
        tell = progress if callable(progress) else _Bar(progress).tell

        def call(address):
            told = _structs.Progress.from_address(address)
            return tell(Progress(text(told.phase), told.done, told.total)) is not False

        return self._lend(_on_progress, call)

    def predicate(self, accepts):
        """A callable over labels."""
        if accepts is None:
            return _structs.PredicateFunction(), None
        if not callable(accepts):
            raise TypeError(f"filter must be callable, not {type(accepts).__name__}")
        return self._lend(_on_label, accepts)

    def texts(self, take):
        """A visitor that hands each text to `take`."""
        return self._lend(_on_text, lambda data: take(text(data)) is not False)

    def vectors(self, take):
        """A visitor that hands each label and its vector, a copy, to `take`."""

        def call(label, address, dimension):
            return take(label, copied(address, dimension, np.float32)) is not False

        return self._lend(_on_vector, call)

    def sink(self, write):
        """A sink that hands all bytes to `write`, as bytes of their own."""
        return self._lend(_on_bytes, write)

    def source(self, give):
        """A source of what `give(count)` answers: a buffer of at most so many bytes, none at the end."""
        return self._lend(_on_room, give)

    def structs(self, function_type, struct, take):
        """A visitor that hands each struct to `take`."""
        return self._lend(
            function_type(_call.on_struct),
            lambda address: take(struct.from_address(address)) is not False,
        )


class _Bar:
    """Drives a progress bar with the interface of tqdm's: total, n, update(), reset(),
    set_description()."""

    def __init__(self, bar):
        if not hasattr(bar, "update") or not hasattr(bar, "total"):
            raise TypeError(
                f"progress must be callable, or a bar with total and update(), not "
                f"{type(bar).__name__}"
            )
        self._bar = bar
        self._phase = None

    def tell(self, progress):
        bar = self._bar
        if progress.phase != self._phase:
            self._phase = progress.phase
            bar.reset(total=progress.total or None)
            bar.set_description(progress.phase)
        elif progress.total:
            bar.total = progress.total
        bar.update(progress.done - bar.n)


def copied(address, count, dtype):
    """A new array of `count` items that stand at `address`."""
    array = np.empty(count, dtype)
    if count:
        ctypes.memmove(array.ctypes.data, address, array.nbytes)
    return array
