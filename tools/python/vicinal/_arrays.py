"""What callers hand in, as the library takes it: vectors, labels, numbers, paths and names."""

import operator
import os

import numpy as np

from ._errors import InvalidArgument

U64 = np.dtype(np.uint64)
F32 = np.dtype(np.float32)
MAX_U64 = 2**64 - 1


def vectors(values, what):
    """`values` as a contiguous float32 array: itself where it is one, else a copy.

    Floating point and integers of any size, order and strides. What float32 cannot hold becomes
    infinite, which the library refuses.
    """
    array = np.asarray(values)
    if array.dtype == F32 and array.flags.carray:
        return array
    if array.dtype.kind not in "fiu":
        if array.size == 0:
            return np.empty(array.shape, F32)
        raise TypeError(f"{what} must be numbers, not {array.dtype}")
    with np.errstate(over="ignore"):
        return np.require(array, F32, ["C_CONTIGUOUS", "ALIGNED"])


def matrix(values, what):
    """`values` as vectors() gives them, with two dimensions: a row each."""
    array = vectors(values, what)
    if array.ndim != 2:
        raise InvalidArgument(f"{what} must have 2 dimensions (rows, components), not {array.ndim}")
    return array


def labels(values):
    """`values`, integers of any kind from 0 to 2**64 - 1, as a contiguous uint64 array."""
    if not hasattr(values, "__array__"):
        return _labels_of_objects(values)
    array = np.asarray(values)
    if array.ndim != 1:
        raise InvalidArgument(f"labels must have 1 dimension, not {array.ndim}")
    if array.dtype.kind == "O":
        return _labels_of_objects(array)
    if array.dtype.kind not in "iu":
        if array.size == 0:
            return np.empty(0, U64)
        raise TypeError(f"labels must be integers, not {array.dtype}")
    if array.dtype.kind == "i" and array.size and (least := array.min()) < 0:
        raise InvalidArgument(f"label {least} is below 0")
    return np.require(array, U64, ["C_CONTIGUOUS", "ALIGNED"])


def _labels_of_objects(values):
    # One by one: numpy would make floats of a list with numbers below and above 2**63.
    return np.fromiter((label(value) for value in values), U64)


def label(value):
    """`value`, an integer of any kind, as an int in range."""
    number = _integer(value, "label")
    if 0 <= number <= MAX_U64:
        return number
    raise InvalidArgument(f"label {number} is not from 0 to 2**64 - 1")


def _integer(value, what):
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{what} must be an integer, not a bool")
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{what} must be an integer, not {type(value).__name__}") from None


def unsigned(value, bits, what):
    """`value` as an int that an unsigned field of `bits` can hold."""
    number = _integer(value, what)
    if 0 <= number < 2**bits:
        return number
    raise InvalidArgument(f"{what} is {number}, not from 0 to {2**bits - 1:,}")


def flag(value, what):
    """`value`, a bool, as 0 or 1."""
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    raise TypeError(f"{what} must be a bool, not {type(value).__name__}")


def number(value, what):
    """`value`, a number of any kind but no text, as a float."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
        if not hasattr(value, "__index__"):
            raise TypeError(f"{what} must be a number, not {type(value).__name__}")
    return float(value)


def path(value):
    """`value`, a str, bytes or path-like, as the bytes of a path."""
    return _without_nul(os.fsencode(value), "path")


def name(value, what="an index's name"):
    """`value`, a str, as the bytes of `what`: the library says what is none."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    return _without_nul(value.encode("utf-8", "surrogatepass"), "name")


def _without_nul(data, what):
    if b"\0" in data:
        raise InvalidArgument(f"{what} {data!r} has a NUL in it")
    return data


def enumerated(kind, value, what):
    """`value` as a member of the enumeration `kind`: one of it, its word, or its number."""
    if isinstance(value, kind):
        return value
    try:
        return kind[value.upper()] if isinstance(value, str) else kind(_integer(value, what))
    except (KeyError, ValueError):
        words = ", ".join(str(member) for member in kind)
        raise InvalidArgument(f"{what} {value!r} is none of {words}") from None


def results(shape):
    """Arrays of `shape` for labels and distances."""
    try:
        return np.empty(shape, U64), np.empty(shape, F32)
    except ValueError:
        words = f"an answer of shape {shape} is beyond what memory can have"
        raise InvalidArgument(words) from None
