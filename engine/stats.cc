// stats: one snapshot of an index's numbers.
#include "engine/index_core.h"

namespace vicinal::engine {

Stats IndexCore::stats() const {
  Stats stats;
  stats.name = name_;
  stats.options = options_;
  stats.target = graph_->kernels().name;
  const graph::GraphStats g = graph_->stats();
  stats.live = g.live;
  stats.tombstones = g.tombstones;
  stats.free_slots = g.free_slots;
  stats.levels = static_cast<std::uint32_t>(g.nodes_by_level.size());
  stats.nodes_by_level = g.nodes_by_level;
  stats.links_by_level = g.links_by_level;
  stats.bytes_vectors = g.bytes_vectors;
  stats.bytes_codes = g.bytes_codes;
  stats.bytes_links = g.bytes_links;
  stats.bytes_nodes = g.bytes_nodes;
  stats.bytes_labels = labels_.bytes();
  stats.bytes_scratch = g.bytes_scratch;
  stats.wider_walks = g.wider_walks;
  stats.fallback_scans = g.fallback_scans;
  stats.salvaged = salvaged_;
  stats.repaired_links = repaired_links_;
  stats.open_seconds = open_seconds_;
  stats.vectors_to_load = graph_->deferred();
  {
    const std::lock_guard lock(checkpoint_time_mutex_);
    stats.checkpoint_age_s =
        checkpointed_at_
            ? std::chrono::duration<double>(std::chrono::steady_clock::now() - *checkpointed_at_)
                  .count()
            : -1;
  }
  const Gate::Pass pass(gate_);
  if (pass && records_ != nullptr) {
    const persist::RecordStats records = records_->stats();
    stats.journal_entries = records.journal_entries;
    stats.journal_bytes = records.journal_bytes;
    stats.bytes_disk = file_->bytes_on_disk();
  }
  return stats;
}

}  // namespace vicinal::engine
