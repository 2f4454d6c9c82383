"""The CPU targets of the kernels: what was compiled, what this machine runs, what was chosen."""

from __future__ import annotations

import ctypes
from typing import List

from . import _arrays, _structs
from ._callbacks import Callbacks
from ._library import check, lib, text
from ._types import CpuTarget, answer


def cpu_targets() -> List[CpuTarget]:
    """Every target compiled into this build, best first: a list of CpuTarget."""
    targets = []
    with Callbacks() as callbacks:
        visitor = callbacks.structs(
            _structs.TargetFunction,
            _structs.CpuTarget,
            lambda target: targets.append(answer(CpuTarget, target)),
        )
        callbacks.check(lib.vicinal_for_each_cpu_target(*visitor))
    return targets


def chosen_cpu_target() -> str:
    """The name of the target that an index opened now would use.

    Errors: InvalidArgument when VICINAL_TARGET in the environment names none that runs here.
    """
    name = ctypes.create_string_buffer(_structs.TARGET_BYTES)
    check(lib.vicinal_chosen_cpu_target(name, len(name)))
    return text(name.value)


def force_cpu_target(name: str) -> None:
    """Makes indexes opened later use the target `name`; "" undoes it.

    Must not race the opening of indexes.
    Errors: InvalidArgument: unknown, or not executable here; lists the valid names.
    """
    check(lib.vicinal_force_cpu_target(_arrays.name(name, "a target's name")))
