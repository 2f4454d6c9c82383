"""Options of an index, and the progress of long work."""

from dataclasses import dataclass, fields
from typing import Any, Callable, NamedTuple, Optional, Protocol, TypedDict, Union

from . import _arrays, _structs
from ._errors import InvalidArgument
from ._library import new
from ._words import Metric, Quantization, Storage


class Progress(NamedTuple):
    """What long work tells now and then, a few times a second at most.

    phase  what is being done: "vectors", "links", "repair", ...
    done   units done
    total  units in all; 0 when unknown
    """

    phase: str
    done: int
    total: int


class Bar(Protocol):
    """What is used of a progress bar such as tqdm()."""

    total: Any
    n: Any

    def update(self, n: Any) -> Any: ...

    def reset(self, total: Any) -> Any: ...

    def set_description(self, desc: str) -> Any: ...


ProgressLike = Union[Callable[[Progress], Optional[bool]], Bar]
"""A callable that returns False to cancel, or a bar such as tqdm()."""


@dataclass(frozen=True)
class IndexOptions:
    """How an index is. The first eight are stored with it; the others hold for this process.

    dimension          components per vector, 1 to 65,536
    metric             see Metric; default "cosine"
    M                  links per node on levels 1 and up, twice that on level 0; 4 to 64, default 16
    ef_construction    candidates when a node is linked, M to 10,000, default 200
    ef_search          candidates of a search, 1 to 100,000, default 64
    quantization       see Quantization; default "int8"
    seed               of levels and of the code rotation, default 42
    storage            see Storage; default "float32"
    reserve            vectors expected, default 0
    repair_share       tombstones' share that starts repair; 0 (never) to 1, default 0.2
    threads            for batch work, at most 4,096; 0 (default): one per CPU
    vectors_in_memory  default True; False: read from the store's map, with quantization "int8" only
    rebuild_on_upsert  for comparison only, default False
    salvage            open although vector records are damaged: set them aside; default False
    """

    dimension: int
    metric: Metric
    M: int
    ef_construction: int
    ef_search: int
    quantization: Quantization
    seed: int
    storage: Storage
    reserve: int
    repair_share: float
    threads: int
    vectors_in_memory: bool
    rebuild_on_upsert: bool
    salvage: bool


class IndexSettings(TypedDict, total=False):
    """Fields of IndexOptions given to make or open an index, and progress while it opens."""

    dimension: int
    metric: Union[str, int, Metric]
    M: int
    ef_construction: int
    ef_search: int
    quantization: Union[str, int, Quantization]
    seed: int
    storage: Union[str, int, Storage]
    reserve: int
    repair_share: float
    threads: int
    vectors_in_memory: bool
    rebuild_on_upsert: bool
    salvage: bool
    progress: ProgressLike


STORED = (
    *("dimension", "metric", "M", "ef_construction", "ef_search", "quantization", "seed", "storage"),
)

_BITS = dict.fromkeys(("dimension", "M", "ef_construction", "ef_search", "threads"), 32)
_BITS.update(dict.fromkeys(("seed", "reserve"), 64))
_ENUMERATED = {"metric": Metric, "quantization": Quantization, "storage": Storage}
_FLAGS = ("vectors_in_memory", "rebuild_on_upsert", "salvage")


def index_options_struct(settings, callbacks):
    """`settings`, which may lack what stays as it is by default, as the library's struct."""
    options = new(_structs.IndexOptions)
    for key, value in settings.items():
        if key in _BITS:
            value = _arrays.unsigned(value, _BITS[key], key)
        elif key in _FLAGS:
            value = _arrays.flag(value, key)
        elif key in _ENUMERATED:
            value = _arrays.enumerated(_ENUMERATED[key], value, key)
        elif key == "repair_share":
            value = _arrays.number(value, key)
        elif key == "progress":
            value, options.progress_context = callbacks.progress(value)
        else:
            raise TypeError(f"an index has no option {key!r}")
        setattr(options, key, value)
    return options


def refuse_others(options, settings, name):
    """InvalidArgument when one of `settings` is not as the `options` of the index `name` are."""
    for key in STORED:
        if key not in settings:
            continue
        asked, stored = settings[key], getattr(options, key)
        if key in _ENUMERATED:
            asked = _arrays.enumerated(_ENUMERATED[key], asked, key)
        elif asked == 0:
            continue  # as it is stored
        if asked != stored:
            raise InvalidArgument(f"{key} {asked} asked, index {name!r} has {stored}")


def index_options(struct):
    """The library's struct as an IndexOptions."""
    values = {field.name: getattr(struct, field.name) for field in fields(IndexOptions)}
    values.update({key: kind(values[key]) for key, kind in _ENUMERATED.items()})
    values.update({key: bool(values[key]) for key in _FLAGS})
    return IndexOptions(**values)
