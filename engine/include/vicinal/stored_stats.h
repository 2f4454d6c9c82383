// What a store's file says about an index, learnt without loading it.
//
// What: the answer of Store::stored_stats(); Index::stats() has what the index is in memory.
// Ownership: a plain value.
// Threads: as any value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vicinal/options.h"
#include "vicinal/requirements.h"

namespace vicinal {

struct StoredStats {
  std::string name;
  IndexOptions options;  ///< the stored ones; the others as they are by default
  std::uint64_t live = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t free_slots = 0;               ///< node slots waiting for reuse
  std::vector<std::uint64_t> nodes_by_level;  ///< nodes whose highest level is i

  std::uint64_t checkpoints = 0;      ///< completed since the index was made
  std::uint64_t journal_entries = 0;  ///< operations since the last of them
  std::uint64_t journal_bytes = 0;
  /// Rows of the journal: every opening links them anew until a checkpoint takes them out. None of an
  /// index that is flat (Stats::flat) when it is opened without IndexOptions::reserve.
  std::uint64_t rows_to_link = 0;

  std::uint64_t bytes_vectors = 0;  ///< on disk, of this index
  std::uint64_t bytes_links = 0;
  std::uint64_t bytes_nodes = 0;
  std::uint64_t bytes_disk = 0;  ///< the store's file; all indexes together
};

}  // namespace vicinal
