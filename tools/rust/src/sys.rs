//! The C ABI (`vicinal.h`), declared by hand.
//!
//! Names are C's, so that a declaration here is found there. The macros keep, for tests, what was
//! declared as text: `declarations.rs` writes a C program of it, which the compiler refuses when a
//! size, an offset, a type, a constant or a parameter differs from the header's.
#![allow(non_camel_case_types, non_snake_case)]

use std::os::raw::{c_char, c_void};

#[macro_use]
mod macros;

/// Functions of the ABI.
macro_rules! functions {
    ($(fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)?;)*) => {
        extern "C" { $(pub fn $name($($argument: $type),*) $(-> $result)?;)* }

        /// Name, result ("" for none) and parameters of every function.
        #[cfg(test)]
        pub fn functions() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
            vec![$((
                stringify!($name),
                concat!("", $(stringify!($result))?),
                vec![$(stringify!($type)),*],
            )),*]
        }
    };
}

/// Pointers to functions that the ABI takes; None is NULL.
macro_rules! callbacks {
    ($(type $name:ident = fn($($type:ty),*) $(-> $result:ty)?;)*) => {
        $(pub type $name = Option<unsafe extern "C" fn($($type),*) $(-> $result)?>;)*

        /// As functions().
        #[cfg(test)]
        pub fn callbacks() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
            vec![$((
                stringify!($name),
                concat!("", $(stringify!($result))?),
                vec![$(stringify!($type)),*],
            )),*]
        }
    };
}

/// Constants of the ABI.
macro_rules! constants {
    ($($name:ident: $type:ty = $value:expr;)*) => {
        $(pub const $name: $type = $value;)*

        /// Name and value of every constant.
        #[cfg(test)]
        pub fn constants() -> Vec<(&'static str, i64)> {
            vec![$((stringify!($name), $name as i64)),*]
        }
    };
}

/// Types that only C knows the inside of.
macro_rules! handles {
    ($($name:ident)*) => {
        $(
            #[repr(C)]
            pub struct $name { opaque: [u8; 0] }
        )*
    };
}

handles! { vicinal_store vicinal_index vicinal_label_set vicinal_hits vicinal_paused_writes }

pub type vicinal_status = i32;
pub type vicinal_metric = i32;
pub type vicinal_quantization = i32;
pub type vicinal_storage = i32;
pub type vicinal_durability = i32;
pub type vicinal_upsert_outcome = i32;
pub type vicinal_erase_outcome = i32;
pub type vicinal_search_path = i32;
pub type vicinal_severity = i32;
pub type vicinal_event_kind = i32;

constants! {
    VICINAL_OK: vicinal_status = 0;
    VICINAL_INVALID_ARGUMENT: vicinal_status = 1;
    VICINAL_NOT_FOUND: vicinal_status = 2;
    VICINAL_FULL: vicinal_status = 3;
    VICINAL_BUSY: vicinal_status = 4;
    VICINAL_IO_ERROR: vicinal_status = 5;
    VICINAL_CORRUPTION: vicinal_status = 6;
    VICINAL_FORMAT_VERSION: vicinal_status = 7;
    VICINAL_READ_ONLY: vicinal_status = 8;
    VICINAL_CLOSED: vicinal_status = 9;
    VICINAL_CANCELLED: vicinal_status = 10;
    VICINAL_OUT_OF_MEMORY: vicinal_status = 100;
    VICINAL_INTERNAL: vicinal_status = 101;

    VICINAL_COSINE: vicinal_metric = 0;
    VICINAL_INNER_PRODUCT: vicinal_metric = 1;
    VICINAL_SQUARED_L2: vicinal_metric = 2;

    VICINAL_QUANTIZATION_NONE: vicinal_quantization = 0;
    VICINAL_QUANTIZATION_INT8: vicinal_quantization = 1;

    VICINAL_STORAGE_FLOAT32: vicinal_storage = 0;
    VICINAL_STORAGE_FLOAT16: vicinal_storage = 1;
    VICINAL_STORAGE_INT8: vicinal_storage = 2;

    VICINAL_DURABILITY_FULL: vicinal_durability = 0;
    VICINAL_DURABILITY_RELAXED: vicinal_durability = 1;
    VICINAL_DURABILITY_NONE: vicinal_durability = 2;

    VICINAL_INSERTED: vicinal_upsert_outcome = 0;
    VICINAL_UPDATED: vicinal_upsert_outcome = 1;
    VICINAL_RESURRECTED: vicinal_upsert_outcome = 2;
    VICINAL_UNCHANGED: vicinal_upsert_outcome = 3;

    VICINAL_ERASED: vicinal_erase_outcome = 0;
    VICINAL_ABSENT: vicinal_erase_outcome = 1;

    VICINAL_PATH_EMPTY: vicinal_search_path = 0;
    VICINAL_PATH_GRAPH: vicinal_search_path = 1;
    VICINAL_PATH_FILTERED_GRAPH: vicinal_search_path = 2;
    VICINAL_PATH_EXACT_SCAN: vicinal_search_path = 3;

    VICINAL_SEVERITY_INFO: vicinal_severity = 0;
    VICINAL_SEVERITY_WARNING: vicinal_severity = 1;
    VICINAL_SEVERITY_ERROR: vicinal_severity = 2;

    VICINAL_EVENT_CHECKPOINT_FAILED: vicinal_event_kind = 0;
    VICINAL_EVENT_REPAIR_FAILED: vicinal_event_kind = 1;
    VICINAL_EVENT_RECOVERED: vicinal_event_kind = 2;
    VICINAL_EVENT_DAMAGE: vicinal_event_kind = 3;
    VICINAL_EVENT_STALE_READER: vicinal_event_kind = 4;
    VICINAL_EVENT_FILE_GROWN: vicinal_event_kind = 5;
    VICINAL_EVENT_NEARLY_FULL: vicinal_event_kind = 6;
    VICINAL_EVENT_HUGE_PAGES_REFUSED: vicinal_event_kind = 7;

    VICINAL_MAX_LEVELS: usize = 32;
    VICINAL_DEGREES: usize = 130;
    VICINAL_NAME_BYTES: usize = 104;
    VICINAL_TARGET_BYTES: usize = 32;
    VICINAL_ERROR_BYTES: usize = 512;
}

callbacks! {
    type vicinal_progress_callback = fn(*mut c_void, *const vicinal_progress) -> bool;
    type vicinal_label_predicate = fn(*mut c_void, u64) -> bool;
    type vicinal_text_visitor = fn(*mut c_void, *const c_char) -> bool;
    type vicinal_vector_visitor = fn(*mut c_void, u64, *const f32, usize) -> bool;
    type vicinal_node_visitor = fn(*mut c_void, *const vicinal_node_view) -> bool;
    type vicinal_cpu_target_visitor = fn(*mut c_void, *const vicinal_cpu_target) -> bool;
    type vicinal_event_callback = fn(*mut c_void, *const vicinal_event);
    type vicinal_release = fn(*mut c_void);
    type vicinal_sink = fn(*mut c_void, *const c_void, usize) -> vicinal_status;
    type vicinal_source = fn(*mut c_void, *mut c_void, usize, *mut usize) -> vicinal_status;
}

structs! {
    struct vicinal_progress {
        size: usize,
        phase: *const c_char,
        done: u64,
        total: u64,
    }
    struct vicinal_event {
        size: usize,
        kind: vicinal_event_kind,
        severity: vicinal_severity,
        index: *const c_char,
        message: *const c_char,
        status_message: *const c_char,
        status: vicinal_status,
        reserved: u32,
        value: u64,
        limit: u64,
    }
    struct vicinal_index_options {
        size: usize,
        dimension: u32,
        metric: vicinal_metric,
        M: u32,
        ef_construction: u32,
        ef_search: u32,
        quantization: vicinal_quantization,
        seed: u64,
        reserve: u64,
        repair_share: f64,
        threads: u32,
        vectors_in_memory: u32,
        rebuild_on_upsert: u32,
        salvage: u32,
        progress: vicinal_progress_callback,
        progress_context: *mut c_void,
        storage: vicinal_storage,
        reserved: u32,
    }
    struct vicinal_store_options {
        size: usize,
        durability: vicinal_durability,
        create: u32,
        read_only: u32,
        background: u32,
        map_bytes: u64,
        max_map_bytes: u64,
        checkpoint_bytes: u64,
        file_mode: u32,
        reserved: u32,
        on_event: vicinal_event_callback,
        event_context: *mut c_void,
        event_release: vicinal_release,
    }
    struct vicinal_batch_options {
        size: usize,
        threads: u32,
        reserved: u32,
        progress: vicinal_progress_callback,
        progress_context: *mut c_void,
    }
    struct vicinal_search_options {
        size: usize,
        ef_search: usize,
        predicate: vicinal_label_predicate,
        predicate_context: *mut c_void,
        labels: *const vicinal_label_set,
        exact: u32,
        reserved: u32,
        recall: f64,
        max_distances: u64,
        timeout_us: u64,
    }
    struct vicinal_radius_options {
        size: usize,
        max_hits: usize,
        ef_search: usize,
        predicate: vicinal_label_predicate,
        predicate_context: *mut c_void,
        labels: *const vicinal_label_set,
        exact: u32,
        reserved: u32,
    }
    struct vicinal_repair_options {
        size: usize,
        slice: u64,
        progress: vicinal_progress_callback,
        progress_context: *mut c_void,
    }
    struct vicinal_validate_options {
        size: usize,
        deep: u32,
        reserved: u32,
        max_messages: usize,
        on_message: vicinal_text_visitor,
        message_context: *mut c_void,
        progress: vicinal_progress_callback,
        progress_context: *mut c_void,
    }
    struct vicinal_recall_options {
        size: usize,
        samples: usize,
        k: usize,
        ef_search: usize,
        seed: u64,
        threads: u32,
        reserved: u32,
    }
    struct vicinal_batch_result {
        size: usize,
        inserted: u64,
        updated: u64,
        resurrected: u64,
        unchanged: u64,
        repeated: u64,
    }
    struct vicinal_node_view {
        size: usize,
        label: u64,
        node: u32,
        level: u32,
        live: u32,
        link_levels: u32,
        link_counts: *const usize,
        links: *const *const u64,
        link_nodes: *const *const u32,
    }
    struct vicinal_search_counters {
        size: usize,
        distances: u64,
        nodes_visited: u64,
        path: vicinal_search_path,
        stopped: u32,
        row_bytes: u64,
        ef_search: u64,
    }
    struct vicinal_repair_result {
        size: usize,
        nodes_examined: u64,
        nodes_relinked: u64,
        slots_freed: u64,
        unreachable_mended: u64,
        finished: u32,
        waiting: u32,
    }
    struct vicinal_validate_report {
        size: usize,
        problems: u64,
        live: u64,
        tombstones: u64,
        unreachable: u64,
        dead_links: u64,
        invalid_links: u64,
        duplicate_links: u64,
        overfull_lists: u64,
        tree_errors: u64,
        asymmetric_links: u64,
        entry_point_errors: u64,
        label_errors: u64,
        record_errors: u64,
        degree_histogram: [u64; VICINAL_DEGREES],
        nodes_by_level: [u64; VICINAL_MAX_LEVELS],
    }
    struct vicinal_stats {
        size: usize,
        name: [c_char; VICINAL_NAME_BYTES],
        target: [c_char; VICINAL_TARGET_BYTES],
        live: u64,
        tombstones: u64,
        free_slots: u64,
        levels: u64,
        nodes_by_level: [u64; VICINAL_MAX_LEVELS],
        links_by_level: [u64; VICINAL_MAX_LEVELS],
        bytes_vectors: u64,
        bytes_codes: u64,
        bytes_links: u64,
        bytes_nodes: u64,
        bytes_labels: u64,
        bytes_scratch: u64,
        bytes_in_memory: u64,
        bytes_disk: u64,
        wider_walks: u64,
        fallback_scans: u64,
        journal_entries: u64,
        journal_bytes: u64,
        checkpoint_age_s: f64,
        salvaged: u64,
        repaired_links: u64,
        open_seconds: f64,
        background_failures: u64,
        background_error_age_s: f64,
        background_error: [c_char; VICINAL_ERROR_BYTES],
        flat: u64,
        sketches: u64,
    }
    struct vicinal_stored_stats {
        size: usize,
        name: [c_char; VICINAL_NAME_BYTES],
        live: u64,
        tombstones: u64,
        free_slots: u64,
        nodes_by_level: [u64; VICINAL_MAX_LEVELS],
        checkpoints: u64,
        journal_entries: u64,
        journal_bytes: u64,
        rows_to_link: u64,
        bytes_vectors: u64,
        bytes_links: u64,
        bytes_nodes: u64,
        bytes_disk: u64,
    }
    struct vicinal_cpu_target {
        size: usize,
        name: *const c_char,
        why_not: *const c_char,
        supported: u32,
        chosen: u32,
    }
}

mod functions;
pub use functions::*;
