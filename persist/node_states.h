// Node states: which nodes an index has and which of them live, read from node blocks and journal
// alone.
//
// What: the history that load() delivers, without rows and links: for questions that need no graph
// (lookup.h, summary.h).
// Ownership: the visitor belongs to the caller.
// Threads: one, beside writers: a snapshot is read.
//
// Nodes that a later entry frees (doomed, R1) are not visited; an upsert of one is the erasure of
// what it replaced, as in load.h.
#pragma once

#include <span>

#include "persist/lmdb_env.h"
#include "persist/records.h"
#include "persist/stored_index.h"
#include "vicinal/status.h"

namespace vicinal::persist {

class StateVisitor {
 public:
  virtual ~StateVisitor() = default;
  /// A checkpointed node, kLive or kTombstone; these come first.
  virtual void node(graph::NodeId node, const StoredNode& stored) = 0;
  /// The journal, in order. `row` is empty when it lies in the node's chunk.
  virtual void upsert(Label label, graph::NodeId node, graph::Level level, graph::NodeId replaced,
                      std::span<const std::byte> row) = 0;
  virtual void erase(graph::NodeId node) = 0;
  virtual void resurrect(graph::NodeId node) = 0;
};

/// Shows `visitor` every node of the index.
/// Errors: kCorruption  a node block or a journal entry is damaged or missing; kIoError.
Status visit_states(const StoredIndex& index, Transaction& transaction, StateVisitor& visitor);

}  // namespace vicinal::persist
