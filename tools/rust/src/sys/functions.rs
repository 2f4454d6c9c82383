//! The functions of the ABI that this crate calls.

use super::*;

functions! {
    fn vicinal_version() -> *const c_char;
    fn vicinal_last_message() -> *const c_char;
    fn vicinal_status_name(status: vicinal_status) -> *const c_char;
    fn vicinal_metric_name(metric: vicinal_metric) -> *const c_char;
    fn vicinal_quantization_name(quantization: vicinal_quantization) -> *const c_char;
    fn vicinal_storage_name(storage: vicinal_storage) -> *const c_char;
    fn vicinal_stored_bytes(storage: vicinal_storage, dimension: usize) -> usize;
    fn vicinal_durability_name(durability: vicinal_durability) -> *const c_char;
    fn vicinal_upsert_outcome_name(outcome: vicinal_upsert_outcome) -> *const c_char;
    fn vicinal_erase_outcome_name(outcome: vicinal_erase_outcome) -> *const c_char;
    fn vicinal_search_path_name(path: vicinal_search_path) -> *const c_char;
    fn vicinal_event_name(kind: vicinal_event_kind) -> *const c_char;
    fn vicinal_severity_name(severity: vicinal_severity) -> *const c_char;

    fn vicinal_for_each_cpu_target(
        visit: vicinal_cpu_target_visitor,
        context: *mut c_void,
    ) -> vicinal_status;
    fn vicinal_chosen_cpu_target(name: *mut c_char, capacity: usize) -> vicinal_status;
    fn vicinal_force_cpu_target(name: *const c_char) -> vicinal_status;

    fn vicinal_index_options_init(
        options: *mut vicinal_index_options,
        size: usize,
    ) -> vicinal_status;
    fn vicinal_store_options_init(
        options: *mut vicinal_store_options,
        size: usize,
    ) -> vicinal_status;
    fn vicinal_batch_options_init(
        options: *mut vicinal_batch_options,
        size: usize,
    ) -> vicinal_status;
    fn vicinal_search_options_init(
        options: *mut vicinal_search_options,
        size: usize,
    ) -> vicinal_status;
    fn vicinal_radius_options_init(
        options: *mut vicinal_radius_options,
        size: usize,
    ) -> vicinal_status;
    fn vicinal_repair_options_init(
        options: *mut vicinal_repair_options,
        size: usize,
    ) -> vicinal_status;
    fn vicinal_validate_options_init(
        options: *mut vicinal_validate_options,
        size: usize,
    ) -> vicinal_status;
    fn vicinal_recall_options_init(
        options: *mut vicinal_recall_options,
        size: usize,
    ) -> vicinal_status;
    fn vicinal_batch_result_init(result: *mut vicinal_batch_result, size: usize) -> vicinal_status;
    fn vicinal_search_counters_init(
        counters: *mut vicinal_search_counters,
        size: usize,
    ) -> vicinal_status;
    fn vicinal_repair_result_init(
        result: *mut vicinal_repair_result,
        size: usize,
    ) -> vicinal_status;
    fn vicinal_validate_report_init(
        report: *mut vicinal_validate_report,
        size: usize,
    ) -> vicinal_status;
    fn vicinal_stats_init(stats: *mut vicinal_stats, size: usize) -> vicinal_status;
    fn vicinal_stored_stats_init(stats: *mut vicinal_stored_stats, size: usize) -> vicinal_status;

    fn vicinal_store_open(
        path: *const c_char,
        options: *const vicinal_store_options,
        store: *mut *mut vicinal_store,
    ) -> vicinal_status;
    fn vicinal_store_close(store: *mut vicinal_store) -> vicinal_status;
    fn vicinal_store_free(store: *mut vicinal_store);
    fn vicinal_store_convert(path: *const c_char, converted: *mut bool) -> vicinal_status;
    fn vicinal_store_index(
        store: *mut vicinal_store,
        name: *const c_char,
        options: *const vicinal_index_options,
        index: *mut *mut vicinal_index,
    ) -> vicinal_status;
    fn vicinal_store_open_index(
        store: *mut vicinal_store,
        name: *const c_char,
        tuning: *const vicinal_index_options,
        index: *mut *mut vicinal_index,
    ) -> vicinal_status;
    fn vicinal_store_for_each_index_name(
        store: *const vicinal_store,
        visit: vicinal_text_visitor,
        context: *mut c_void,
    ) -> vicinal_status;
    fn vicinal_store_stored_vectors(
        store: *const vicinal_store,
        name: *const c_char,
        labels: *const u64,
        count: usize,
        dimension: usize,
        vectors: *mut f32,
        live: *mut bool,
    ) -> vicinal_status;
    fn vicinal_store_stored_stats(
        store: *const vicinal_store,
        name: *const c_char,
        stats: *mut vicinal_stored_stats,
        options: *mut vicinal_index_options,
    ) -> vicinal_status;
    fn vicinal_store_drop_index(store: *mut vicinal_store, name: *const c_char) -> vicinal_status;
    fn vicinal_store_checkpoint(store: *mut vicinal_store) -> vicinal_status;
    fn vicinal_store_sync(store: *mut vicinal_store) -> vicinal_status;
    fn vicinal_store_backup(store: *const vicinal_store, path: *const c_char) -> vicinal_status;
    fn vicinal_store_verify_records(
        store: *const vicinal_store,
        visit: vicinal_text_visitor,
        context: *mut c_void,
        failed: *mut u64,
    ) -> vicinal_status;
    fn vicinal_store_for_each_journal_entry(
        store: *const vicinal_store,
        name: *const c_char,
        visit: vicinal_text_visitor,
        context: *mut c_void,
    ) -> vicinal_status;

    fn vicinal_index_create(
        options: *const vicinal_index_options,
        index: *mut *mut vicinal_index,
    ) -> vicinal_status;
    fn vicinal_index_free(index: *mut vicinal_index);
    fn vicinal_index_upsert(
        index: *mut vicinal_index,
        label: u64,
        vector: *const f32,
        dimension: usize,
        outcome: *mut vicinal_upsert_outcome,
    ) -> vicinal_status;
    fn vicinal_index_upsert_batch(
        index: *mut vicinal_index,
        labels: *const u64,
        vectors: *const f32,
        rows: usize,
        dimension: usize,
        options: *const vicinal_batch_options,
        result: *mut vicinal_batch_result,
    ) -> vicinal_status;
    fn vicinal_index_get(
        index: *const vicinal_index,
        label: u64,
        vector: *mut f32,
        dimension: usize,
    ) -> vicinal_status;
    fn vicinal_index_get_stored(
        index: *const vicinal_index,
        label: u64,
        stored: *mut c_void,
        bytes: usize,
    ) -> vicinal_status;
    fn vicinal_index_contains(
        index: *const vicinal_index,
        label: u64,
        live: *mut bool,
    ) -> vicinal_status;
    fn vicinal_index_erase(
        index: *mut vicinal_index,
        label: u64,
        outcome: *mut vicinal_erase_outcome,
    ) -> vicinal_status;
    fn vicinal_index_erase_batch(
        index: *mut vicinal_index,
        labels: *const u64,
        count: usize,
        erased: *mut u64,
    ) -> vicinal_status;
    fn vicinal_index_size(index: *const vicinal_index, size: *mut u64) -> vicinal_status;
    fn vicinal_index_dimension(index: *const vicinal_index, dimension: *mut u32) -> vicinal_status;
    fn vicinal_index_get_options(
        index: *const vicinal_index,
        options: *mut vicinal_index_options,
    ) -> vicinal_status;
    fn vicinal_index_reserve(index: *mut vicinal_index, count: u64) -> vicinal_status;
    fn vicinal_index_for_each(
        index: *const vicinal_index,
        visit: vicinal_vector_visitor,
        context: *mut c_void,
    ) -> vicinal_status;
    fn vicinal_index_node(
        index: *const vicinal_index,
        label: u64,
        visit: vicinal_node_visitor,
        context: *mut c_void,
    ) -> vicinal_status;
    fn vicinal_index_for_each_node(
        index: *const vicinal_index,
        visit: vicinal_node_visitor,
        context: *mut c_void,
    ) -> vicinal_status;
    fn vicinal_index_stats(
        index: *const vicinal_index,
        stats: *mut vicinal_stats,
    ) -> vicinal_status;

    fn vicinal_index_search(
        index: *const vicinal_index,
        query: *const f32,
        dimension: usize,
        k: usize,
        options: *const vicinal_search_options,
        labels: *mut u64,
        distances: *mut f32,
        found: *mut usize,
        counters: *mut vicinal_search_counters,
    ) -> vicinal_status;
    fn vicinal_index_search_batch(
        index: *const vicinal_index,
        queries: *const f32,
        rows: usize,
        dimension: usize,
        k: usize,
        options: *const vicinal_search_options,
        threads: u32,
        labels: *mut u64,
        distances: *mut f32,
        counts: *mut usize,
        counters: *mut vicinal_search_counters,
    ) -> vicinal_status;
    fn vicinal_index_search_radius(
        index: *const vicinal_index,
        query: *const f32,
        dimension: usize,
        radius: f32,
        options: *const vicinal_radius_options,
        hits: *mut *mut vicinal_hits,
        counters: *mut vicinal_search_counters,
    ) -> vicinal_status;
    fn vicinal_hits_count(hits: *const vicinal_hits) -> usize;
    fn vicinal_hits_labels(hits: *const vicinal_hits) -> *const u64;
    fn vicinal_hits_distances(hits: *const vicinal_hits) -> *const f32;
    fn vicinal_hits_cut(hits: *const vicinal_hits) -> bool;
    fn vicinal_hits_free(hits: *mut vicinal_hits);

    fn vicinal_index_checkpoint(
        index: *mut vicinal_index,
        progress: vicinal_progress_callback,
        progress_context: *mut c_void,
    ) -> vicinal_status;
    fn vicinal_index_sync(index: *mut vicinal_index) -> vicinal_status;
    fn vicinal_index_rebuild(
        index: *mut vicinal_index,
        options: *const vicinal_batch_options,
    ) -> vicinal_status;
    fn vicinal_index_repair(
        index: *mut vicinal_index,
        options: *const vicinal_repair_options,
        result: *mut vicinal_repair_result,
    ) -> vicinal_status;
    fn vicinal_index_validate(
        index: *const vicinal_index,
        options: *const vicinal_validate_options,
        report: *mut vicinal_validate_report,
    ) -> vicinal_status;
    fn vicinal_index_expected_recall(
        index: *const vicinal_index,
        k: usize,
        efs: *mut usize,
        recalls: *mut f64,
        capacity: usize,
        count: *mut usize,
        own_vectors: *mut u64,
        queries: *mut u64,
    ) -> vicinal_status;
    fn vicinal_index_more(
        index: *const vicinal_index,
        query: *const f32,
        dimension: usize,
        known_labels: *const u64,
        known: usize,
        n: usize,
        options: *const vicinal_search_options,
        labels: *mut u64,
        distances: *mut f32,
        found: *mut usize,
        counters: *mut vicinal_search_counters,
    ) -> vicinal_status;
    fn vicinal_index_recall(
        index: *const vicinal_index,
        options: *const vicinal_recall_options,
        recall: *mut f64,
    ) -> vicinal_status;

    fn vicinal_index_save(
        index: *const vicinal_index,
        sink: vicinal_sink,
        context: *mut c_void,
    ) -> vicinal_status;
    fn vicinal_index_load(
        source: vicinal_source,
        context: *mut c_void,
        tuning: *const vicinal_index_options,
        index: *mut *mut vicinal_index,
    ) -> vicinal_status;
    fn vicinal_index_pause_writes(
        index: *const vicinal_index,
        paused: *mut *mut vicinal_paused_writes,
    ) -> vicinal_status;
    fn vicinal_paused_writes_save(
        paused: *mut vicinal_paused_writes,
        sink: vicinal_sink,
        context: *mut c_void,
    ) -> vicinal_status;
    fn vicinal_paused_writes_free(paused: *mut vicinal_paused_writes);

    fn vicinal_label_set_create(
        labels: *const u64,
        count: usize,
        set: *mut *mut vicinal_label_set,
    ) -> vicinal_status;
    fn vicinal_label_set_all(set: *mut *mut vicinal_label_set) -> vicinal_status;
    fn vicinal_label_set_free(set: *mut vicinal_label_set);
    fn vicinal_label_set_and(
        a: *const vicinal_label_set,
        b: *const vicinal_label_set,
        set: *mut *mut vicinal_label_set,
    ) -> vicinal_status;
    fn vicinal_label_set_or(
        a: *const vicinal_label_set,
        b: *const vicinal_label_set,
        set: *mut *mut vicinal_label_set,
    ) -> vicinal_status;
    fn vicinal_label_set_minus(
        a: *const vicinal_label_set,
        b: *const vicinal_label_set,
        set: *mut *mut vicinal_label_set,
    ) -> vicinal_status;
    fn vicinal_label_set_not(
        a: *const vicinal_label_set,
        set: *mut *mut vicinal_label_set,
    ) -> vicinal_status;
    fn vicinal_label_set_equal(
        a: *const vicinal_label_set,
        b: *const vicinal_label_set,
        equal: *mut bool,
    ) -> vicinal_status;
    fn vicinal_label_set_contains(
        set: *const vicinal_label_set,
        label: u64,
        contained: *mut bool,
    ) -> vicinal_status;
    fn vicinal_label_set_size(set: *const vicinal_label_set, size: *mut u64) -> vicinal_status;
    fn vicinal_label_set_inverted(
        set: *const vicinal_label_set,
        inverted: *mut bool,
    ) -> vicinal_status;
    fn vicinal_label_set_stored(set: *const vicinal_label_set, stored: *mut u64) -> vicinal_status;
    fn vicinal_label_set_copy_stored(
        set: *const vicinal_label_set,
        labels: *mut u64,
        capacity: usize,
        count: *mut usize,
    ) -> vicinal_status;
    fn vicinal_label_set_bytes(set: *const vicinal_label_set, bytes: *mut u64) -> vicinal_status;
}
