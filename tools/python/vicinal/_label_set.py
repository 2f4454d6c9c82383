"""LabelSet: a set of labels, prepared once and used by any number of searches."""

from __future__ import annotations

import ctypes
from typing import Any, Iterable

import numpy as np

from . import _arrays
from ._library import Handle, check, free_of, lib
from ._types import Labels


class LabelSet:
    """An immutable set of labels; or of all labels but some, which is as cheap.

    `&`, `|`, `-` and `~` make new sets, `==` compares, `in` asks. Nothing in it belongs to an
    index: labels need not be live. Any number of threads may use one set.
    Memory: 8 KiB at most for 65,536 values that share their upper 48 bits, next to nothing for
    unbroken ranges, 9 to 10 bytes a label when few share them.

    `labels`: integers from 0 to 2**64 - 1 in any order, repeats allowed: an array, or anything that
    can be iterated over.
    Errors: InvalidArgument for a label out of range, TypeError for one that is no integer.
    """

    __slots__ = ("_handle", "__weakref__")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, labels: Iterable[Any] = ()) -> None:
        array = _arrays.labels(labels)
        self._make(lib.vicinal_label_set_create, array.ctypes.data, array.size)

    @classmethod
    def all(cls) -> LabelSet:
        """The set of every label there can be."""
        return cls._made(lib.vicinal_label_set_all)

    @classmethod
    def _made(cls, function, *arguments):
        made = object.__new__(cls)
        made._make(function, *arguments)
        return made

    def _make(self, function, *arguments):
        self._handle = Handle(free_of("vicinal_label_set_free"))
        check(self._handle.made_by(function, *arguments))

    def _with(self, other, function):
        if not isinstance(other, LabelSet):
            return NotImplemented
        return self._made(function, self._handle.address, other._handle.address)

    def _ask(self, function, kind, *arguments):
        told = kind()
        check(function(self._handle.address, *arguments, ctypes.byref(told)))
        return told.value

    def __and__(self, other: LabelSet) -> LabelSet:
        return self._with(other, lib.vicinal_label_set_and)

    def __or__(self, other: LabelSet) -> LabelSet:
        return self._with(other, lib.vicinal_label_set_or)

    def __sub__(self, other: LabelSet) -> LabelSet:
        return self._with(other, lib.vicinal_label_set_minus)

    def __invert__(self) -> LabelSet:
        return self._made(lib.vicinal_label_set_not, self._handle.address)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LabelSet):
            return NotImplemented
        return self._ask(lib.vicinal_label_set_equal, ctypes.c_bool, other._handle.address)

    def __contains__(self, label: Any) -> bool:
        return self._ask(lib.vicinal_label_set_contains, ctypes.c_bool, _arrays.label(label))

    def __len__(self) -> int:
        """As size; OverflowError beyond sys.maxsize."""
        return self.size

    def __bool__(self) -> bool:
        return self.size > 0

    def __repr__(self) -> str:
        but = "all but " if self.inverted else ""
        return f"<vicinal.LabelSet of {but}{self._stored_count():,} labels>"

    @property
    def size(self) -> int:
        """Labels in the set; 2**64 - 1 for all, which has one more. Cost: O(1)."""
        return self._ask(lib.vicinal_label_set_size, ctypes.c_uint64)

    @property
    def inverted(self) -> bool:
        """Whether the set is every label but those in stored()."""
        return self._ask(lib.vicinal_label_set_inverted, ctypes.c_bool)

    @property
    def bytes(self) -> int:
        """Heap bytes held, about; sets that share hold the same bytes together."""
        return self._ask(lib.vicinal_label_set_bytes, ctypes.c_uint64)

    def _stored_count(self):
        return self._ask(lib.vicinal_label_set_stored, ctypes.c_uint64)

    def stored(self) -> Labels:
        """The labels in the set or, when it is inverted, those that are not: a uint64 array,
        ascending."""
        labels = np.empty(self._stored_count(), np.uint64)
        self._ask(
            lib.vicinal_label_set_copy_stored, ctypes.c_size_t, labels.ctypes.data, labels.size
        )
        return labels


def as_label_set(labels):
    """`labels` as a LabelSet: itself where it is one."""
    return labels if isinstance(labels, LabelSet) else LabelSet(labels)
