"""The shared library: found, loaded, its functions declared; handles and failures.

ctypes releases the GIL for every call; callbacks take it again (_lend.c).
"""

import ctypes
import functools
import os
from ctypes import POINTER, c_bool, c_char_p, c_double, c_float, c_int32, c_size_t, c_uint32
from ctypes import c_uint64, c_void_p

from . import _call, _errors, _structs


def _load():
    # A wheel brings the library beside this file; a distribution's package leaves it to the loader.
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libvicinal.so.0")
    return ctypes.CDLL(beside if os.path.exists(beside) else "libvicinal.so.0")


lib = _load()

_handle, _place, _options, _array, _out, _context = (c_void_p,) * 6

# name: arguments. They answer a status.
_FALLIBLE = {
    "vicinal_for_each_cpu_target": [_structs.TargetFunction, _context],
    "vicinal_chosen_cpu_target": [c_char_p, c_size_t],
    "vicinal_force_cpu_target": [c_char_p],
    "vicinal_index_create": [_options, _place],
    "vicinal_index_upsert": [_handle, c_uint64, _array, c_size_t, POINTER(c_int32)],
    "vicinal_index_upsert_batch": [_handle, _array, _array, c_size_t, c_size_t, _options, _out],
    "vicinal_index_get": [_handle, c_uint64, _array, c_size_t],
    "vicinal_index_get_stored": [_handle, c_uint64, _array, c_size_t],
    "vicinal_index_contains": [_handle, c_uint64, POINTER(c_bool)],
    "vicinal_index_erase": [_handle, c_uint64, POINTER(c_int32)],
    "vicinal_index_erase_batch": [_handle, _array, c_size_t, POINTER(c_uint64)],
    "vicinal_index_size": [_handle, POINTER(c_uint64)],
    "vicinal_index_dimension": [_handle, POINTER(c_uint32)],
    "vicinal_index_get_options": [_handle, _out],
    "vicinal_index_reserve": [_handle, c_uint64],
    "vicinal_index_for_each": [_handle, _structs.VectorFunction, _context],
    "vicinal_index_node": [_handle, c_uint64, _structs.NodeFunction, _context],
    "vicinal_index_for_each_node": [_handle, _structs.NodeFunction, _context],
    "vicinal_index_search": [
        *(_handle, _array, c_size_t, c_size_t, _options),
        *(_array, _array, POINTER(c_size_t), _out),
    ],
    "vicinal_index_more": [
        *(_handle, _array, c_size_t, _array, c_size_t, c_size_t, _options),
        *(_array, _array, POINTER(c_size_t), _out),
    ],
    "vicinal_index_expected_recall": [
        *(_handle, c_size_t, _array, _array, c_size_t, POINTER(c_size_t)),
        *(POINTER(c_uint64), POINTER(c_uint64)),
    ],
    "vicinal_index_search_batch": [
        *(_handle, _array, c_size_t, c_size_t, c_size_t, _options, c_uint32),
        *(_array, _array, _array, _out),
    ],
    "vicinal_index_search_radius": [
        *(_handle, _array, c_size_t, c_float, _options, _place, _out),
    ],
    "vicinal_index_stats": [_handle, _out],
    "vicinal_index_checkpoint": [_handle, _structs.ProgressFunction, _context],
    "vicinal_index_sync": [_handle],
    "vicinal_index_save": [_handle, _structs.SinkFunction, _context],
    "vicinal_index_load": [_structs.SourceFunction, _context, _options, _place],
    "vicinal_index_pause_writes": [_handle, _place],
    "vicinal_paused_writes_save": [_handle, _structs.SinkFunction, _context],
    "vicinal_index_rebuild": [_handle, _options],
    "vicinal_index_repair": [_handle, _options, _out],
    "vicinal_index_validate": [_handle, _options, _out],
    "vicinal_index_recall": [_handle, _options, POINTER(c_double)],
    "vicinal_hnswlib_open": [c_char_p, c_uint32, _place],
    "vicinal_hnswlib_get_info": [_handle, _out],
    "vicinal_hnswlib_read": [
        *(_handle, c_uint64, c_size_t, c_size_t, _array, _array, _array, POINTER(c_size_t)),
    ],
    "vicinal_label_set_create": [_array, c_size_t, _place],
    "vicinal_label_set_all": [_place],
    "vicinal_label_set_and": [_handle, _handle, _place],
    "vicinal_label_set_or": [_handle, _handle, _place],
    "vicinal_label_set_minus": [_handle, _handle, _place],
    "vicinal_label_set_not": [_handle, _place],
    "vicinal_label_set_equal": [_handle, _handle, POINTER(c_bool)],
    "vicinal_label_set_contains": [_handle, c_uint64, POINTER(c_bool)],
    "vicinal_label_set_size": [_handle, POINTER(c_uint64)],
    "vicinal_label_set_inverted": [_handle, POINTER(c_bool)],
    "vicinal_label_set_stored": [_handle, POINTER(c_uint64)],
    "vicinal_label_set_copy_stored": [_handle, _array, c_size_t, POINTER(c_size_t)],
    "vicinal_label_set_bytes": [_handle, POINTER(c_uint64)],
    "vicinal_store_open": [c_char_p, _options, _place],
    "vicinal_store_close": [_handle],
    "vicinal_store_convert": [c_char_p, POINTER(c_bool)],
    "vicinal_store_index": [_handle, c_char_p, _options, _place],
    "vicinal_store_open_index": [_handle, c_char_p, _options, _place],
    "vicinal_store_for_each_index_name": [_handle, _structs.TextFunction, _context],
    "vicinal_store_stored_vectors": [
        *(_handle, c_char_p, _array, c_size_t, c_size_t, _array, _array),
    ],
    "vicinal_store_stored_stats": [_handle, c_char_p, _out, _out],
    "vicinal_store_drop_index": [_handle, c_char_p],
    "vicinal_store_checkpoint": [_handle],
    "vicinal_store_sync": [_handle],
    "vicinal_store_backup": [_handle, c_char_p],
    "vicinal_store_verify_records": [
        *(_handle, _structs.TextFunction, _context, POINTER(c_uint64)),
    ],
    "vicinal_store_for_each_journal_entry": [_handle, c_char_p, _structs.TextFunction, _context],
}
# name: answer, arguments.
_OTHERS = {
    "vicinal_last_message": (c_char_p, []),
    "vicinal_version": (c_char_p, []),
    "vicinal_stored_bytes": (c_size_t, [c_int32, c_size_t]),
    "vicinal_index_free": (None, [_handle]),
    "vicinal_store_free": (None, [_handle]),
    "vicinal_paused_writes_free": (None, [_handle]),
    "vicinal_hnswlib_free": (None, [_handle]),
    "vicinal_label_set_free": (None, [_handle]),
    "vicinal_hits_free": (None, [_handle]),
    "vicinal_hits_count": (c_size_t, [_handle]),
    "vicinal_hits_labels": (c_void_p, [_handle]),
    "vicinal_hits_distances": (c_void_p, [_handle]),
    "vicinal_hits_cut": (c_bool, [_handle]),
}

for _name, _arguments in _FALLIBLE.items():
    _function = getattr(lib, _name)
    _function.restype, _function.argtypes = c_int32, _arguments
for _struct in vars(_structs).values():
    if hasattr(_struct, "initialiser"):
        _function = getattr(lib, _struct.initialiser)
        _function.restype, _function.argtypes = c_int32, [c_void_p, c_size_t]
for _name, (_answer, _arguments) in _OTHERS.items():
    _function = getattr(lib, _name)
    _function.restype, _function.argtypes = _answer, _arguments


def text(data):
    """The library's UTF-8 as a str; what is no UTF-8 (a file's name in a message) is escaped."""
    return data.decode("utf-8", "backslashreplace")


def failure(status):
    """The exception for `status`, the last failure on this thread."""
    kind = _errors.BY_CODE.get(status, _errors.Internal)
    return kind(text(lib.vicinal_last_message()))


def check(status):
    """Raises what `status` says unless it is OK."""
    if status:
        raise failure(status)


def new(struct):
    """A struct of the class `struct` with the library's defaults."""
    made = struct()
    check(getattr(lib, struct.initialiser)(ctypes.addressof(made), ctypes.sizeof(made)))
    return made


class Handle(_call.Handle):
    """Owns one of the library's handles: frees it when nobody refers to it any more.

    Handle(free_of(name), keeps=None); `address` is None where it has none. Who calls the library
    holds a reference for the length of the call, so a handle that another thread lets go is freed after
    the call. Inside callbacks, where the garbage collector may let one go at any moment, too: the library
    puts off what would wait for the call. `keeps`, a handle that this one needs, lives as long.
    """

    __slots__ = ()

    def made_by(self, function, *arguments, then=()):
        """Calls `function` with a place for the handle between `arguments` and `then`; answers its
        status. What a signal's handler raises meanwhile frees the handle."""
        try:
            return function(*arguments, self.place, *then)
        except BaseException:
            self.free()
            raise

    def __reduce__(self):
        raise TypeError("an open store, index or label set can be neither copied nor pickled")


@functools.cache
def free_of(name):
    """The address of the library's function `name`, which frees a handle."""
    return ctypes.cast(getattr(lib, name), c_void_p).value


class ClosedHandle:
    """Stands where a handle was let go."""

    def __init__(self, words):
        self._words = words

    @property
    def address(self):
        raise _errors.Closed(self._words)
