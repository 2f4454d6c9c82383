"""The structs of vicinal.h, field by field, and its callback types.

Each begins with its size; `new(S)` makes one with the library's defaults. tests/python/structs.py
compares every offset with a C compiler's.
"""

import ctypes
from ctypes import (
    POINTER,
    c_bool,
    c_char,
    c_char_p,
    c_double,
    c_int32,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)

MAX_LEVELS = 32
DEGREES = 130
NAME_BYTES = 104
TARGET_BYTES = 32
ERROR_BYTES = 512

PredicateFunction = ctypes.CFUNCTYPE(c_bool, c_void_p, c_uint64)
ProgressFunction = ctypes.CFUNCTYPE(c_bool, c_void_p, c_void_p)
TextFunction = ctypes.CFUNCTYPE(c_bool, c_void_p, c_char_p)
LabelFunction = ctypes.CFUNCTYPE(c_bool, c_void_p, c_uint64)
VectorFunction = ctypes.CFUNCTYPE(c_bool, c_void_p, c_uint64, c_void_p, c_size_t)
NodeFunction = ctypes.CFUNCTYPE(c_bool, c_void_p, c_void_p)
TargetFunction = ctypes.CFUNCTYPE(c_bool, c_void_p, c_void_p)
SinkFunction = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p, c_size_t)
SourceFunction = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p, c_size_t, c_void_p)
EventFunction = ctypes.CFUNCTYPE(None, c_void_p, c_void_p)
ReleaseFunction = ctypes.CFUNCTYPE(None, c_void_p)


class Progress(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("phase", c_char_p), ("done", c_uint64), ("total", c_uint64)]


class Event(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("kind", c_int32),
        ("severity", c_int32),
        ("index", c_char_p),
        ("message", c_char_p),
        ("status_message", c_char_p),
        ("status", c_int32),
        ("reserved", c_uint32),
        ("value", c_uint64),
        ("limit", c_uint64),
    ]


class CpuTarget(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("name", c_char_p),
        ("why_not", c_char_p),
        ("supported", c_uint32),
        ("chosen", c_uint32),
    ]


class NodeView(ctypes.Structure):
    _fields_ = [
        ("size", c_size_t),
        ("label", c_uint64),
        ("node", c_uint32),
        ("level", c_uint32),
        ("live", c_uint32),
        ("link_levels", c_uint32),
        ("link_counts", POINTER(c_size_t)),
        ("links", POINTER(c_void_p)),
        ("link_nodes", POINTER(c_void_p)),
    ]


class IndexOptions(ctypes.Structure):
    initialiser = "vicinal_index_options_init"
    _fields_ = [
        ("size", c_size_t),
        ("dimension", c_uint32),
        ("metric", c_int32),
        ("M", c_uint32),
        ("ef_construction", c_uint32),
        ("ef_search", c_uint32),
        ("quantization", c_int32),
        ("seed", c_uint64),
        ("reserve", c_uint64),
        ("repair_share", c_double),
        ("threads", c_uint32),
        ("vectors_in_memory", c_uint32),
        ("rebuild_on_upsert", c_uint32),
        ("salvage", c_uint32),
        ("progress", ProgressFunction),
        ("progress_context", c_void_p),
        ("storage", c_int32),
        ("reserved", c_uint32),
    ]


class StoreOptions(ctypes.Structure):
    initialiser = "vicinal_store_options_init"
    _fields_ = [
        ("size", c_size_t),
        ("durability", c_int32),
        ("create", c_uint32),
        ("read_only", c_uint32),
        ("background", c_uint32),
        ("map_bytes", c_uint64),
        ("max_map_bytes", c_uint64),
        ("checkpoint_bytes", c_uint64),
        ("file_mode", c_uint32),
        ("reserved", c_uint32),
        ("on_event", EventFunction),
        ("event_context", c_void_p),
        ("event_release", ReleaseFunction),
    ]


class BatchOptions(ctypes.Structure):
    initialiser = "vicinal_batch_options_init"
    _fields_ = [
        ("size", c_size_t),
        ("threads", c_uint32),
        ("reserved", c_uint32),
        ("progress", ProgressFunction),
        ("progress_context", c_void_p),
    ]


class SearchOptions(ctypes.Structure):
    initialiser = "vicinal_search_options_init"
    _fields_ = [
        ("size", c_size_t),
        ("ef_search", c_size_t),
        ("predicate", PredicateFunction),
        ("predicate_context", c_void_p),
        ("labels", c_void_p),
        ("exact", c_uint32),
        ("reserved", c_uint32),
        ("recall", c_double),
        ("max_distances", c_uint64),
        ("timeout_us", c_uint64),
    ]


class RadiusOptions(ctypes.Structure):
    initialiser = "vicinal_radius_options_init"
    _fields_ = [
        ("size", c_size_t),
        ("max_hits", c_size_t),
        ("ef_search", c_size_t),
        ("predicate", PredicateFunction),
        ("predicate_context", c_void_p),
        ("labels", c_void_p),
        ("exact", c_uint32),
        ("reserved", c_uint32),
    ]


class RepairOptions(ctypes.Structure):
    initialiser = "vicinal_repair_options_init"
    _fields_ = [
        ("size", c_size_t),
        ("slice", c_uint64),
        ("progress", ProgressFunction),
        ("progress_context", c_void_p),
    ]


class ValidateOptions(ctypes.Structure):
    initialiser = "vicinal_validate_options_init"
    _fields_ = [
        ("size", c_size_t),
        ("deep", c_uint32),
        ("reserved", c_uint32),
        ("max_messages", c_size_t),
        ("on_message", TextFunction),
        ("message_context", c_void_p),
        ("progress", ProgressFunction),
        ("progress_context", c_void_p),
    ]


class RecallOptions(ctypes.Structure):
    initialiser = "vicinal_recall_options_init"
    _fields_ = [
        ("size", c_size_t),
        ("samples", c_size_t),
        ("k", c_size_t),
        ("ef_search", c_size_t),
        ("seed", c_uint64),
        ("threads", c_uint32),
        ("reserved", c_uint32),
    ]


class SearchCounters(ctypes.Structure):
    initialiser = "vicinal_search_counters_init"
    _fields_ = [
        ("size", c_size_t),
        ("distances", c_uint64),
        ("nodes_visited", c_uint64),
        ("path", c_int32),
        ("stopped", c_uint32),
        ("row_bytes", c_uint64),
        ("ef_search", c_uint64),
    ]


def _counts(*names):
    return [(name, c_uint64) for name in names]


class BatchResult(ctypes.Structure):
    initialiser = "vicinal_batch_result_init"
    _fields_ = [("size", c_size_t)] + _counts(
        "inserted", "updated", "resurrected", "unchanged", "repeated"
    )


class RepairResult(ctypes.Structure):
    initialiser = "vicinal_repair_result_init"
    _fields_ = (
        [("size", c_size_t)]
        + _counts("nodes_examined", "nodes_relinked", "slots_freed", "unreachable_mended")
        + [("finished", c_uint32), ("waiting", c_uint32)]
    )


class ValidateReport(ctypes.Structure):
    initialiser = "vicinal_validate_report_init"
    _fields_ = (
        [("size", c_size_t)]
        + _counts(
            "problems",
            "live",
            "tombstones",
            "unreachable",
            "dead_links",
            "invalid_links",
            "duplicate_links",
            "overfull_lists",
            "tree_errors",
            "asymmetric_links",
            "entry_point_errors",
            "label_errors",
            "record_errors",
        )
        + [
            ("degree_histogram", c_uint64 * DEGREES),
            ("nodes_by_level", c_uint64 * MAX_LEVELS),
        ]
    )


class Stats(ctypes.Structure):
    initialiser = "vicinal_stats_init"
    _fields_ = (
        [("size", c_size_t), ("name", c_char * NAME_BYTES), ("target", c_char * TARGET_BYTES)]
        + _counts("live", "tombstones", "free_slots", "levels")
        + [("nodes_by_level", c_uint64 * MAX_LEVELS), ("links_by_level", c_uint64 * MAX_LEVELS)]
        + _counts("bytes_vectors", "bytes_codes", "bytes_links", "bytes_nodes", "bytes_labels")
        + _counts("bytes_scratch", "bytes_in_memory", "bytes_disk")
        + _counts("wider_walks", "fallback_scans", "journal_entries", "journal_bytes")
        + [("checkpoint_age_s", c_double)]
        + _counts("salvaged", "repaired_links")
        + [("open_seconds", c_double), ("background_failures", c_uint64)]
        + [("background_error_age_s", c_double), ("background_error", c_char * ERROR_BYTES)]
        + _counts("flat", "sketches")
    )


class HnswlibInfo(ctypes.Structure):
    initialiser = "vicinal_hnswlib_info_init"
    _fields_ = (
        [("size", c_size_t), ("dimension", c_uint32), ("brute_force", c_uint32)]
        + _counts("rows", "deleted", "capacity", "M", "ef_construction")
        + [("element_bytes", c_uint32), ("normalized", c_uint32)]
    )


class StoredStats(ctypes.Structure):
    initialiser = "vicinal_stored_stats_init"
    _fields_ = (
        [("size", c_size_t), ("name", c_char * NAME_BYTES)]
        + _counts("live", "tombstones", "free_slots")
        + [("nodes_by_level", c_uint64 * MAX_LEVELS)]
        + _counts("checkpoints", "journal_entries", "journal_bytes", "rows_to_link")
        + _counts("bytes_vectors", "bytes_links", "bytes_nodes", "bytes_disk")
    )
