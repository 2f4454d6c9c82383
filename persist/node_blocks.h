// Node blocks: label, level and state of kNodesPerBlock consecutive nodes in one record.
//
// NodeBlockReader walks them for loading, NodeBlockEditor changes them in a write transaction.
// Ownership: the transaction outlives them.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>

#include "persist/range_tail.h"
#include "persist/records.h"

namespace vicinal::persist {

/// Decodes the record of `block`; an absent one is empty.
Result<NodeBlock> read_node_block(Transaction& transaction, const IndexRange& nodes,
                                  std::uint32_t block);

/// Gives slots in any order, decoding a block again only when it changes.
class NodeBlockReader {
 public:
  NodeBlockReader(Transaction& transaction, const IndexRange& nodes)
      : transaction_(transaction), nodes_(nodes) {}

  /// The slot's record; a free one when nothing is stored. kCorruption when its block is damaged.
  Result<StoredNode> at(graph::NodeId node);
  /// Records met so far.
  std::uint64_t blocks() const { return blocks_; }

 private:
  Transaction& transaction_;
  const IndexRange nodes_;
  std::uint64_t blocks_ = 0;
  std::int64_t current_ = -1;
  NodeBlock block_;
  Status block_status_;
};

/// Changes slots and stores every touched block at the end.
class NodeBlockEditor {
 public:
  NodeBlockEditor(Transaction& transaction, const IndexRange& nodes)
      : transaction_(transaction), nodes_(nodes) {}

  Status set(graph::NodeId node, const StoredNode& value);
  /// Changes the state of a slot that is in use; a free one stays free.
  Status set_state(graph::NodeId node, graph::NodeState state);
  Status flush();

 private:
  Result<StoredNode*> slot(graph::NodeId node);

  Transaction& transaction_;
  const IndexRange nodes_;
  std::map<std::uint32_t, NodeBlock> blocks_;
};

}  // namespace vicinal::persist
