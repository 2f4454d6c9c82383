// stats: one snapshot of an index's numbers.
#include "engine/index_core.h"

namespace vicinal::engine {

Stats IndexCore::stats() const {
  Stats stats;
  stats.name = state_.name;
  stats.options = state_.options;
  stats.target = state_.graph->kernels().name;
  const graph::GraphStats g = state_.graph->stats();
  stats.flat = g.flat;
  stats.live = g.live;
  stats.tombstones = g.tombstones;
  stats.free_slots = g.free_slots;
  stats.levels = static_cast<std::uint32_t>(g.nodes_by_level.size());
  stats.nodes_by_level = g.nodes_by_level;
  stats.links_by_level = g.links_by_level;
  stats.bytes_vectors = g.bytes_vectors;
  stats.bytes_codes = g.bytes_codes;
  stats.bytes_links = g.bytes_links;
  stats.bytes_nodes = g.bytes_nodes + sizeof(*this);
  stats.bytes_labels = state_.labels.bytes();
  stats.bytes_scratch = g.bytes_scratch;
  stats.sketches = g.sketches;
  stats.wider_walks = g.wider_walks;
  stats.fallback_scans = g.fallback_scans;
  stats.checkpoint_age_s = -1;
  if (stored_ != nullptr) {
    stats.salvaged = stored_->loaded.salvaged;
    stats.repaired_links = stored_->loaded.repaired_links;
    stats.open_seconds = stored_->loaded.seconds;
    stats.checkpoint_age_s = stored_->checkpoints.age();
  }
  if (state_.health != nullptr) state_.health->fill(stats);
  const Gate::Pass pass(state_.gate);
  if (pass && state_.records != nullptr) {
    const persist::RecordStats records = state_.records->stats();
    stats.journal_entries = records.journal_entries;
    stats.journal_bytes = records.journal_bytes;
    stats.bytes_disk = state_.file->bytes_on_disk();
  }
  return stats;
}

}  // namespace vicinal::engine
