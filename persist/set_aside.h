// SetAside: what a load left out because it is damaged, and how a writable store gets rid of it.
//
// Ownership: owns its lists.
// Threads: one, the loading thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "persist/index_databases.h"
#include "persist/lmdb_env.h"
#include "persist/records.h"
#include "persist/sequence_ledger.h"

namespace vicinal::persist {

struct SetAside {
  using Keys = std::vector<std::vector<std::byte>>;

  std::vector<Sequence> entries;
  bool strays = false;                ///< entries under keys that no entry has
  std::vector<std::uint32_t> blocks;  ///< node blocks
  std::set<std::uint32_t> chunks;
  std::vector<graph::NodeId> nodes;  ///< whose rows are lost
  Keys node_keys;                    ///< of node blocks under keys that no block has
  Keys chunk_keys;                   ///< likewise
  Keys link_keys;                    ///< of damaged link groups
  std::vector<std::pair<Sequence, JournalEntry>> batches;  ///< without their lost rows
  std::vector<graph::NodeId> orphans;                      ///< what a lost row had replaced
  std::vector<Label> orphan_labels;                        ///< of `orphans`
  bool miscounted = false;  ///< a range has other records than its tail says

  bool empty() const {
    return entries.empty() && !strays && blocks.empty() && chunks.empty() && nodes.empty() &&
           node_keys.empty() && chunk_keys.empty() && link_keys.empty() && batches.empty() &&
           orphans.empty() && !miscounted;
  }
};

/// Deletes the records, frees the nodes, stores the batches; what a lost row had replaced stays
/// erased; what is counted is counted anew.
Status remove_for_good(const SetAside& what, Transaction& transaction,
                       const IndexDatabases& databases, SequenceLedger& ledger);

}  // namespace vicinal::persist
