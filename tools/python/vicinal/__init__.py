"""Vicinal: an embedded vector index that stays searchable while it changes.

    import numpy as np, vicinal

    with vicinal.Store("memory.vic") as store:
        index = store.index("text", dimension=4)
        index.upsert_batch([1, 2, 3], np.eye(3, 4))
        labels, distances = index.search([0.9, 1, 0.1, 0], k=2)

Store opens a folder on disk, Store.index() an index in it; Index() makes one in memory. help() of
each method tells shapes, units, threads and errors.

Arrays: vectors are float32, float16, float64 or integers with any strides; contiguous float32 is
handed to the library as it is. Labels are integers from 0 to 2**64 - 1. Distances are float32,
smaller is nearer.
Errors: an exception for each status of the library, all of them subclasses of vicinal.Error:
InvalidArgument, NotFound, Full, Busy, IoError, Corruption, FormatVersion, ReadOnly, Closed,
Cancelled, OutOfMemory, Internal. TypeError for what is of no kind that could be meant.
Threads: any, for everything. Calls release the GIL; callbacks take it.
"""

from ._cpu import chosen_cpu_target, cpu_targets, force_cpu_target
from ._errors import (
    Busy,
    Cancelled,
    Closed,
    Corruption,
    Error,
    FormatVersion,
    Full,
    Internal,
    InvalidArgument,
    IoError,
    NotFound,
    OutOfMemory,
    ReadOnly,
)
from ._index import Index
from ._label_set import LabelSet
from ._library import lib as _lib
from ._options import IndexOptions, IndexSettings, Progress
from ._store import Store, convert
from ._stream import PausedWrites
from ._types import (
    NO_LABEL,
    BatchResult,
    CpuTarget,
    Event,
    ExpectedRecall,
    Hits,
    Node,
    RepairResult,
    SearchCounters,
    Stats,
    StoredStats,
    ValidateReport,
)
from ._words import (
    Durability,
    EventKind,
    Metric,
    Quantization,
    SearchPath,
    Severity,
    Storage,
    UpsertOutcome,
)

__version__ = _lib.vicinal_version().decode()

__all__ = [
    "BatchResult",
    "Busy",
    "Cancelled",
    "Closed",
    "Corruption",
    "CpuTarget",
    "Durability",
    "Error",
    "Event",
    "EventKind",
    "ExpectedRecall",
    "FormatVersion",
    "Full",
    "Hits",
    "Index",
    "IndexOptions",
    "IndexSettings",
    "Internal",
    "InvalidArgument",
    "IoError",
    "LabelSet",
    "Metric",
    "NO_LABEL",
    "Node",
    "NotFound",
    "OutOfMemory",
    "PausedWrites",
    "Progress",
    "Quantization",
    "ReadOnly",
    "RepairResult",
    "SearchCounters",
    "SearchPath",
    "Severity",
    "Stats",
    "Storage",
    "Store",
    "StoredStats",
    "UpsertOutcome",
    "ValidateReport",
    "chosen_cpu_target",
    "convert",
    "cpu_targets",
    "force_cpu_target",
]
