"""What calls answer with, and what they tell meanwhile."""

from dataclasses import dataclass, fields
from typing import NamedTuple, Optional, Tuple, Union

import numpy as np
import numpy.typing as npt

from ._library import text
from ._options import IndexOptions
from ._words import EventKind, SearchPath, Severity

Labels = npt.NDArray[np.uint64]
Vectors = npt.NDArray[np.float32]

NO_LABEL = 2**64 - 1
"""What stands in the rows of a search of many queries where there are fewer than k hits; the
distance there is infinite."""


class Hits(NamedTuple):
    """What a radius search found, nearest first.

    labels     uint64, shape (found,)
    distances  float32, shape (found,)
    cut        more lie within the radius than max_hits
    """

    labels: Labels
    distances: Vectors
    cut: bool


@dataclass(frozen=True)
class BatchResult:
    """What a batch did, by label.

    repeated  earlier rows of a label that stood again later in the batch: ignored
    """

    inserted: int
    updated: int
    resurrected: int
    unchanged: int
    repeated: int


@dataclass(frozen=True)
class SearchCounters:
    """What a search cost.

    distances      distances computed, codes and vectors together
    nodes_visited  nodes expanded
    row_bytes      of the sketches, codes and vectors that were compared
    ef_search      candidates kept; 0 where all were compared as asked
    stopped        a time or a number of distances ended the search
    """

    distances: int
    nodes_visited: int
    path: SearchPath
    row_bytes: int
    ef_search: int
    stopped: bool


class ExpectedRecall(NamedTuple):
    """What an index knows of recall by ef_search.

    efs          rising, from k on; none where all vectors are compared
    recalls      the recall expected of each
    own_vectors  vectors of the index that were sought, each as if it were new
    queries      queries asked with a recall that were compared with all vectors
    """

    efs: Tuple[int, ...]
    recalls: Tuple[float, ...]
    own_vectors: int
    queries: int


@dataclass(frozen=True)
class RepairResult:
    """What a repair did.

    unreachable_mended  nodes that hung loose, for which the graph was rebuilt
    finished            the pass is complete: nothing dead is linked to any more
    waiting             searches of before must end first: call again
    """

    nodes_examined: int
    nodes_relinked: int
    slots_freed: int
    unreachable_mended: int
    finished: bool
    waiting: bool


@dataclass(frozen=True)
class ValidateReport:
    """What a validation found. `problems` is 0 for a sound index.

    unreachable         live nodes not reached on a level they have
    dead_links          links to tombstones: not a problem, repair's work
    invalid_links       to free slots, to levels a node does not have, or to itself
    duplicate_links     an id twice in one list
    overfull_lists      more links than a level allows
    tree_errors         parents and children that do not agree
    asymmetric_links    links without a link back: allowed
    entry_point_errors  the entry point is not a node of the highest level
    label_errors        labels that do not lead to their node and back
    record_errors       deep: stored records that fail their checksum or disagree
    degree_histogram    level 0: nodes with i links; the 130th has that many or more
    nodes_by_level      nodes whose highest level is i
    messages            problems in words, at most max_messages
    """

    problems: int
    live: int
    tombstones: int
    unreachable: int
    dead_links: int
    invalid_links: int
    duplicate_links: int
    overfull_lists: int
    tree_errors: int
    asymmetric_links: int
    entry_point_errors: int
    label_errors: int
    record_errors: int
    degree_histogram: tuple[int, ...]
    nodes_by_level: tuple[int, ...]
    messages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stats:
    """The numbers of an index. Sizes are bytes, times seconds.

    name                    "" for an index in memory
    target                  the CPU target of the kernels in use
    free_slots              node slots waiting for reuse
    levels                  levels in use; 0 when empty
    nodes_by_level          nodes whose highest level is i
    links_by_level          links in all lists of level i
    bytes_vectors           stored vectors in memory
    bytes_nodes             per-node fields
    bytes_labels            label map
    bytes_in_memory         the six above together
    bytes_disk              the store's file; all indexes together
    wider_walks             searches that went on wider because too few nodes counted
    fallback_scans          searches that compared with all that is live instead
    journal_entries         operations since the last checkpoint
    checkpoint_age_s        since the last of this process; None for none
    salvaged                damaged records set aside at open
    repaired_links          damaged link records mended at open
    background_failures     of the store's own thread, in a row until now
    background_error_age_s  since the last; None for none
    background_error        the last of them in this process; "": none
    sketches                searches go by two bits a component: many dimensions only
    flat                    fewer vectors than are worth a graph, about 500: searches compare with all
    """

    name: str
    target: str
    live: int
    tombstones: int
    free_slots: int
    levels: int
    nodes_by_level: tuple[int, ...]
    links_by_level: tuple[int, ...]
    bytes_vectors: int
    bytes_codes: int
    bytes_links: int
    bytes_nodes: int
    bytes_labels: int
    bytes_scratch: int
    bytes_in_memory: int
    bytes_disk: int
    wider_walks: int
    fallback_scans: int
    journal_entries: int
    journal_bytes: int
    checkpoint_age_s: Optional[float]
    salvaged: int
    repaired_links: int
    open_seconds: float
    background_failures: int
    background_error_age_s: Optional[float]
    background_error: str
    flat: bool
    sketches: bool


@dataclass(frozen=True)
class StoredStats:
    """What a store's file says about an index, learnt without loading it. Sizes are bytes.

    free_slots       node slots waiting for reuse
    nodes_by_level   nodes whose highest level is i
    checkpoints      completed since the index was made
    journal_entries  operations since the last of them
    rows_to_link     rows of the journal: every opening links them anew
    bytes_vectors    on disk, of this index
    bytes_disk       the store's file; all indexes together
    options          as stored; the others as they are by default
    """

    name: str
    live: int
    tombstones: int
    free_slots: int
    nodes_by_level: tuple[int, ...]
    checkpoints: int
    journal_entries: int
    journal_bytes: int
    rows_to_link: int
    bytes_vectors: int
    bytes_links: int
    bytes_nodes: int
    bytes_disk: int
    options: IndexOptions


@dataclass(frozen=True)
class Event:
    """What happened in a store and no call returns.

    index           its name; "": the store's
    message         for people; has the numbers
    status_message  of what failed; else ""
    status          code of what failed (see Error.code); else 0
    """

    kind: Union[EventKind, int]
    severity: Union[Severity, int]
    index: str
    message: str
    status_message: str
    status: int
    value: int
    limit: int


@dataclass(frozen=True)
class Node:
    """A node of the graph, with its links; for dumps and debugging.

    node        its id
    level       its highest level
    links       labels linked to: a uint64 array per level, 0 first
    link_nodes  the same as node ids: uint32 arrays
    """

    label: int
    node: int
    level: int
    live: bool
    links: tuple[Labels, ...]
    link_nodes: tuple[npt.NDArray[np.uint32], ...]


@dataclass(frozen=True)
class CpuTarget:
    """A set of kernels compiled into the library.

    name       "avx3_vnni", "avx2", "neon", ...
    why_not    why it is not supported; "" otherwise
    supported  this CPU executes it
    chosen     new indexes use it
    """

    name: str
    why_not: str
    supported: bool
    chosen: bool


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
