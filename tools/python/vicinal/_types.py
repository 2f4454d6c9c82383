"""Enumerations, options, and what calls answer with."""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Callable, NamedTuple, Optional, Protocol, TypedDict, Union

import numpy as np
import numpy.typing as npt

from . import _arrays, _structs
from ._errors import InvalidArgument
from ._library import new, text

Labels = npt.NDArray[np.uint64]
Vectors = npt.NDArray[np.float32]

NO_LABEL = 2**64 - 1
"""What stands in the rows of a search of many queries where there are fewer than k hits; the
distance there is infinite."""


class Word(IntEnum):
    """A number of the C ABI whose str() is its word ("resurrected")."""

    def __str__(self) -> str:
        return self.name.lower()


class Metric(Word):
    """How nearness is measured. Smaller is nearer for all of them."""

    COSINE = 0  #: 1 - cos(a, b), in [0, 2]; a zero vector is refused
    INNER_PRODUCT = 1  #: 1 - <a, b>, any finite value
    SQUARED_L2 = 2  #: |a - b|^2, at least 0
    L2 = 2  #: its word

    def __str__(self) -> str:
        return "l2" if self == Metric.L2 else super().__str__()


class Quantization(Word):
    """What the graph is traversed over; reported distances are exact float32 for both."""

    NONE = 0  #: float32 rows: four times the memory traffic
    INT8 = 1  #: rotated int8 codes, re-ranked from float32


class Durability(Word):
    """When an acknowledged write survives what."""

    FULL = 0  #: fsync before each call returns: survives a power cut
    RELAXED = 1  #: survives a killed process; a power cut may lose the last
    NONE = 2  #: nothing is promised before a sync or a clean close


class UpsertOutcome(Word):
    """What an upsert found and did."""

    INSERTED = 0  #: the label was not there
    UPDATED = 1  #: it had another vector, or was erased and had another vector
    RESURRECTED = 2  #: erased before with this very vector: the tombstone was lifted
    UNCHANGED = 3  #: live with this very vector: nothing was written


class SearchPath(Word):
    """The path a search took."""

    EMPTY = 0  #: nothing live, or k = 0: no work
    GRAPH = 1  #: the HNSW walk
    FILTERED_GRAPH = 2  #: the HNSW walk with a filter on what enters the results
    EXACT_SCAN = 3  #: every candidate was compared


class Severity(Word):
    """How much an event matters."""

    INFO = 0  #: worth a line in a log
    WARNING = 1  #: nothing is wrong yet, or the store has helped itself
    ERROR = 2  #: something that should be done is not done: act


class EventKind(Word):
    """What happened in a store."""

    CHECKPOINT_FAILED = 0  #: of the store's own thread; value: failures in a row
    REPAIR_FAILED = 1  #: a slice of the store's own thread; value as above
    RECOVERED = 2  #: what failed went well again; value: failures before
    DAMAGE = 3  #: damage met while an index was loaded; value: records
    STALE_READER = 4  #: readers of killed processes were cleared; value: count
    FILE_GROWN = 5  #: the map grew; value: its bytes, limit: the most, or 0
    NEARLY_FULL = 6  #: the file nears max_map_bytes; value: its bytes
    HUGE_PAGES_REFUSED = 7  #: searches cost up to 1.4 times as much


class Progress(NamedTuple):
    """What long work tells now and then, a few times a second at most."""

    phase: str  #: what is being done: "vectors", "links", "repair", ...
    done: int  #: units done
    total: int  #: units in all; 0 when unknown


class Bar(Protocol):
    """What is used of a progress bar such as tqdm()."""

    total: Any
    n: Any

    def update(self, n: Any) -> Any: ...

    def reset(self, total: Any) -> Any: ...

    def set_description(self, desc: str) -> Any: ...


ProgressLike = Union[Callable[[Progress], Optional[bool]], Bar]
"""A callable that returns False to cancel, or a bar such as tqdm()."""


class Hits(NamedTuple):
    """What a radius search found, nearest first."""

    labels: Labels
    distances: Vectors
    cut: bool  #: more lie within the radius than max_hits


@dataclass(frozen=True)
class IndexOptions:
    """How an index is. The first seven are stored with it; the others hold for this process."""

    dimension: int  #: components per vector, 1 to 65,536
    metric: Metric  #: default "cosine"
    M: int  #: links per node on levels 1 and up, twice that on level 0; 4 to 64, default 16
    ef_construction: int  #: candidates when a node is linked, M to 10,000, default 200
    ef_search: int  #: candidates of a search, 1 to 100,000, default 64
    quantization: Quantization  #: default "int8"
    seed: int  #: of levels and of the code rotation, default 42
    reserve: int  #: vectors expected, default 0
    repair_share: float  #: tombstones' share that starts repair, 0 (never) to 1, default 0.2
    threads: int  #: for batch work, at most 4,096; 0 (default): one per CPU
    vectors_in_memory: bool  #: default True; False: read from the store's map, with "int8" only
    rebuild_on_upsert: bool  #: for comparison only, default False
    salvage: bool  #: open although vector records are damaged: set them aside; default False


class IndexSettings(TypedDict, total=False):
    """Fields of IndexOptions given to make or open an index, and progress while it opens."""

    dimension: int
    metric: Union[str, int, Metric]
    M: int
    ef_construction: int
    ef_search: int
    quantization: Union[str, int, Quantization]
    seed: int
    reserve: int
    repair_share: float
    threads: int
    vectors_in_memory: bool
    rebuild_on_upsert: bool
    salvage: bool
    progress: ProgressLike


STORED = ("dimension", "metric", "M", "ef_construction", "ef_search", "quantization", "seed")

_BITS = dict.fromkeys(("dimension", "M", "ef_construction", "ef_search", "threads"), 32)
_BITS.update(dict.fromkeys(("seed", "reserve"), 64))
_ENUMERATED = {"metric": Metric, "quantization": Quantization}
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
            value = callbacks.progress(value)
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


@dataclass(frozen=True)
class BatchResult:
    """What a batch did, by label."""

    inserted: int
    updated: int
    resurrected: int
    unchanged: int
    repeated: int  #: earlier rows of a label that stood again later in the batch: ignored


@dataclass(frozen=True)
class SearchCounters:
    """What a search cost."""

    distances: int  #: distances computed, codes and float32 together
    nodes_visited: int  #: nodes expanded
    path: SearchPath


@dataclass(frozen=True)
class RepairResult:
    """What a repair did."""

    nodes_examined: int
    nodes_relinked: int
    slots_freed: int
    unreachable_mended: int  #: nodes that hung loose, for which the graph was rebuilt
    finished: bool  #: the pass is complete: nothing dead is linked to any more
    waiting: bool  #: searches of before must end first: call again


@dataclass(frozen=True)
class ValidateReport:
    """What a validation found. `problems` is 0 for a sound index."""

    problems: int
    live: int
    tombstones: int
    unreachable: int  #: live nodes not reached on a level they have
    dead_links: int  #: links to tombstones: not a problem, repair's work
    invalid_links: int  #: to free slots, to levels a node does not have, or to itself
    duplicate_links: int  #: an id twice in one list
    overfull_lists: int  #: more links than a level allows
    tree_errors: int  #: parents and children that do not agree
    asymmetric_links: int  #: links without a link back: allowed
    entry_point_errors: int  #: the entry point is not a node of the highest level
    label_errors: int  #: labels that do not lead to their node and back
    record_errors: int  #: deep: stored records that fail their checksum or disagree
    degree_histogram: tuple[int, ...]  #: level 0: nodes with i links; the 130th has that many or more
    nodes_by_level: tuple[int, ...]  #: nodes whose highest level is i
    messages: tuple[str, ...] = ()  #: problems in words, at most max_messages


@dataclass(frozen=True)
class Stats:
    """The numbers of an index. Sizes are bytes, times seconds."""

    name: str  #: "" for an index in memory
    target: str  #: the CPU target of the kernels in use
    live: int
    tombstones: int
    free_slots: int  #: node slots waiting for reuse
    levels: int  #: levels in use; 0 when empty
    nodes_by_level: tuple[int, ...]  #: nodes whose highest level is i
    links_by_level: tuple[int, ...]  #: links in all lists of level i
    bytes_vectors: int  #: float32 rows in memory
    bytes_codes: int
    bytes_links: int
    bytes_nodes: int  #: per-node fields
    bytes_labels: int  #: label map
    bytes_scratch: int
    bytes_in_memory: int  #: the six above together
    bytes_disk: int  #: the store's file; all indexes together
    wider_walks: int  #: searches that went on wider because too few nodes counted
    fallback_scans: int  #: searches that compared with all that is live instead
    journal_entries: int  #: operations since the last checkpoint
    journal_bytes: int
    checkpoint_age_s: Optional[float]  #: since the last of this process; None for none
    salvaged: int  #: damaged records set aside at open
    repaired_links: int  #: damaged link records mended at open
    open_seconds: float
    background_failures: int  #: of the store's own thread, in a row until now
    background_error_age_s: Optional[float]  #: since the last; None for none
    background_error: str  #: the last of them in this process; "": none


@dataclass(frozen=True)
class StoredStats:
    """What a store's file says about an index, learnt without loading it. Sizes are bytes."""

    name: str
    live: int
    tombstones: int
    free_slots: int  #: node slots waiting for reuse
    nodes_by_level: tuple[int, ...]  #: nodes whose highest level is i
    checkpoints: int  #: completed since the index was made
    journal_entries: int  #: operations since the last of them
    journal_bytes: int
    rows_to_link: int  #: rows of the journal: every opening links them anew
    bytes_vectors: int  #: on disk, of this index
    bytes_links: int
    bytes_nodes: int
    bytes_disk: int  #: the store's file; all indexes together
    options: IndexOptions  #: as stored; the others as they are by default


@dataclass(frozen=True)
class Event:
    """What happened in a store and no call returns."""

    kind: Union[EventKind, int]
    severity: Union[Severity, int]
    index: str  #: its name; "": the store's
    message: str  #: for people; has the numbers
    status_message: str  #: of what failed; else ""
    status: int  #: code of what failed (see Error.code); else 0
    value: int
    limit: int


@dataclass(frozen=True)
class Node:
    """A node of the graph, with its links; for dumps and debugging."""

    label: int
    node: int  #: its id
    level: int  #: its highest level
    live: bool
    links: tuple[Labels, ...]  #: labels linked to: a uint64 array per level, 0 first
    link_nodes: tuple[npt.NDArray[np.uint32], ...]  #: the same as node ids: uint32 arrays


@dataclass(frozen=True)
class CpuTarget:
    """A set of kernels compiled into the library."""

    name: str  #: "avx3_vnni", "avx2", "neon", ...
    why_not: str  #: why it is not supported; "" otherwise
    supported: bool  #: this CPU executes it
    chosen: bool  #: new indexes use it


_ENUMS = {"path": SearchPath, "kind": EventKind, "severity": Severity}


def answer(kind, struct, **more):
    """The library's struct as the dataclass `kind`; `more` are fields that it does not have."""
    values = more
    for field in fields(kind):
        key = field.name
        if key in more:
            continue
        value = getattr(struct, key)
        if isinstance(value, bytes):
            value = text(value)
        elif key in _ENUMS and value in iter(_ENUMS[key]):
            value = _ENUMS[key](value)
        elif field.type is bool:
            value = bool(value)
        elif key.endswith("_by_level"):
            value = _without_zeros(value)
        elif hasattr(value, "_length_"):
            value = tuple(value)
        elif key.endswith("_age_s") and value < 0:
            value = None
        values[key] = value
    return kind(**values)


def _without_zeros(counts):
    counts = tuple(counts)
    while counts and counts[-1] == 0:
        counts = counts[:-1]
    return counts
