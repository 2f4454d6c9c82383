// CheckpointSource: what a checkpoint asks the engine, and what it says in the end.
//
// Ownership: the source belongs to the caller and outlives the call.
// Threads: the checkpoint's own, one call at a time, with no transaction of the store held.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/types.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// What a checkpoint needs from the engine.
class CheckpointSource {
 public:
  virtual ~CheckpointSource() = default;
  /// Nodes whose links changed since the last checkpoint, ascending; forgets them. What changes
  /// later is reported by the next checkpoint.
  virtual std::vector<graph::NodeId> take_changed_nodes() = 0;
  /// The node's links as they are now; empty when the slot is free or holds a pending node.
  virtual graph::NodeLinks links(graph::NodeId node) = 0;
  virtual graph::EntryPoint entry_point() = 0;
  /// Whether no links changed since take_changed_nodes(), nor are about to.
  virtual bool settled() = 0;
  /// A checkpoint failed after take_changed_nodes(): these must be reported again.
  virtual void give_back_changed_nodes(std::span<const graph::NodeId> nodes) = 0;
};

struct CheckpointReport {
  std::uint64_t journal_entries = 0;  ///< moved out of the journal
  std::uint64_t link_records = 0;     ///< written
  std::uint64_t rows = 0;             ///< went from the journal to a chunk
};

}  // namespace vicinal::persist
