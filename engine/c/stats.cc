// The numbers of an index.
#include "vicinal/c/stats.h"

#include "engine/c/answer.h"
#include "engine/c/convert.h"
#include "engine/c/handles.h"
#include "engine/c/structs.h"

using vicinal::Result;
using vicinal::Status;
using vicinal::c_abi::answer;
using vicinal::c_abi::check_result;
using vicinal::c_abi::copy_counts;
using vicinal::c_abi::copy_text;
using vicinal::c_abi::require;
using vicinal::c_abi::write_struct;

namespace {

vicinal_stats to_struct(const vicinal::Stats& from) {
  vicinal_stats stats = {};
  copy_text(from.name, stats.name);
  copy_text(from.target, stats.target);
  stats.live = from.live;
  stats.tombstones = from.tombstones;
  stats.free_slots = from.free_slots;
  stats.levels = from.levels;
  copy_counts(from.nodes_by_level, stats.nodes_by_level);
  copy_counts(from.links_by_level, stats.links_by_level);
  stats.bytes_vectors = from.bytes_vectors;
  stats.bytes_codes = from.bytes_codes;
  stats.bytes_links = from.bytes_links;
  stats.bytes_nodes = from.bytes_nodes;
  stats.bytes_labels = from.bytes_labels;
  stats.bytes_scratch = from.bytes_scratch;
  stats.bytes_in_memory = from.bytes_in_memory();
  stats.bytes_disk = from.bytes_disk;
  stats.wider_walks = from.wider_walks;
  stats.fallback_scans = from.fallback_scans;
  stats.journal_entries = from.journal_entries;
  stats.journal_bytes = from.journal_bytes;
  stats.checkpoint_age_s = from.checkpoint_age_s;
  stats.salvaged = from.salvaged;
  stats.repaired_links = from.repaired_links;
  stats.open_seconds = from.open_seconds;
  stats.background_failures = from.background_failures;
  stats.background_error_age_s = from.background_error_age_s;
  copy_text(from.background_error, stats.background_error);
  stats.flat = from.flat ? 1 : 0;
  stats.sketches = from.sketches ? 1 : 0;
  return stats;
}

vicinal_stored_stats to_struct(const vicinal::StoredStats& from) {
  vicinal_stored_stats stats = {};
  copy_text(from.name, stats.name);
  stats.live = from.live;
  stats.tombstones = from.tombstones;
  stats.free_slots = from.free_slots;
  copy_counts(from.nodes_by_level, stats.nodes_by_level);
  stats.checkpoints = from.checkpoints;
  stats.journal_entries = from.journal_entries;
  stats.journal_bytes = from.journal_bytes;
  stats.rows_to_link = from.rows_to_link;
  stats.bytes_vectors = from.bytes_vectors;
  stats.bytes_links = from.bytes_links;
  stats.bytes_nodes = from.bytes_nodes;
  stats.bytes_disk = from.bytes_disk;
  return stats;
}

}  // namespace

vicinal_status vicinal_index_stats(const vicinal_index* index, vicinal_stats* stats) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(index, "index", stats, "stats"));
    VICINAL_RETURN_IF_ERROR(check_result(stats, "vicinal_stats"));
    write_struct(stats, to_struct(index->index.stats()));
    return {};
  });
}

vicinal_status vicinal_store_stored_stats(const vicinal_store* store, const char* name,
                                          vicinal_stored_stats* stats,
                                          vicinal_index_options* options) {
  return answer([&]() -> Status {
    VICINAL_RETURN_IF_ERROR(require(store, "store", name, "name", stats, "stats"));
    VICINAL_RETURN_IF_ERROR(check_result(stats, "vicinal_stored_stats"));
    VICINAL_RETURN_IF_ERROR(check_result(options, "vicinal_index_options"));
    const Result<vicinal::StoredStats> stored = store->store.stored_stats(name);
    if (!stored) return stored.status();
    write_struct(stats, to_struct(stored.value()));
    write_struct(options, vicinal::c_abi::to_struct(stored.value().options));
    return {};
  });
}
