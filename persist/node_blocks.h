// Node blocks: label, level and state of kNodesPerBlock consecutive nodes in one record.
//
// NodeBlockReader walks them for loading, NodeBlockEditor changes them in a write transaction.
// Ownership: the transaction outlives them.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>

#include "persist/lmdb_env.h"
#include "persist/records.h"

namespace vicinal::persist {

/// Decodes the record of `block`; an absent one is empty.
Result<NodeBlock> read_node_block(Transaction& transaction, DatabaseHandle nodes,
                                  std::uint32_t index, std::uint32_t block);

/// Gives slots in any order, decoding a block again only when it changes.
class NodeBlockReader {
 public:
  NodeBlockReader(Transaction& transaction, DatabaseHandle nodes, std::uint32_t index)
      : transaction_(transaction), nodes_(nodes), index_(index) {}

  /// The slot's record; a free one when nothing is stored. kCorruption when its block is damaged.
  Result<StoredNode> at(graph::NodeId node);
  /// Records met so far.
  std::uint64_t blocks() const { return blocks_; }

 private:
  Transaction& transaction_;
  const DatabaseHandle nodes_;
  const std::uint32_t index_;
  std::uint64_t blocks_ = 0;
  std::int64_t current_ = -1;
  NodeBlock block_;
  Status block_status_;
};

/// Changes slots and stores every touched block at the end.
class NodeBlockEditor {
 public:
  NodeBlockEditor(Transaction& transaction, DatabaseHandle nodes, std::uint32_t index)
      : transaction_(transaction), nodes_(nodes), index_(index) {}

  Status set(graph::NodeId node, const StoredNode& value);
  /// Changes the state of a slot that is in use; a free one stays free.
  Status set_state(graph::NodeId node, graph::NodeState state);
  Status flush();

 private:
  Result<StoredNode*> slot(graph::NodeId node);

  Transaction& transaction_;
  const DatabaseHandle nodes_;
  const std::uint32_t index_;
  std::map<std::uint32_t, NodeBlock> blocks_;
};

}  // namespace vicinal::persist
