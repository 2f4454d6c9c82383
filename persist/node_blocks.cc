#include "persist/node_blocks.h"

#include "persist/codec.h"

namespace vicinal::persist {

Result<NodeBlock> read_node_block(Transaction& transaction, DatabaseHandle nodes,
                                  std::uint32_t index, std::uint32_t block) {
  const Key32 key(block);
  Bytes value;
  Result<bool> found = transaction.get(nodes, key.bytes(), &value);
  if (!found) return found.status();
  NodeBlock result;
  if (!*found) return result;
  const RecordId id{RecordKind::kNodes, index, key.bytes()};
  Result<Bytes> payload = unseal(id, value);
  if (!payload) return payload.status();
  if (Status status = decode(*payload, &result); !status.ok()) {
    return Status::corruption(describe(id) + ": " + status.message());
  }
  return result;
}

Result<StoredNode> NodeBlockReader::at(graph::NodeId node) {
  const std::uint32_t block = graph::raw(node) / kNodesPerBlock;
  if (current_ != block) {
    current_ = block;
    Result<NodeBlock> read = read_node_block(transaction_, nodes_, index_, block);
    block_status_ = read.status();
    block_ = read.ok() ? std::move(*read) : NodeBlock();
    if (!read.ok() || !block_.empty()) ++blocks_;
  }
  if (!block_status_.ok()) return block_status_;
  const std::uint32_t slot = graph::raw(node) % kNodesPerBlock;
  return slot < block_.size() ? block_[slot] : StoredNode();
}

Result<StoredNode*> NodeBlockEditor::slot(graph::NodeId node) {
  const std::uint32_t number = graph::raw(node) / kNodesPerBlock;
  auto found = blocks_.find(number);
  if (found == blocks_.end()) {
    Result<NodeBlock> read = read_node_block(transaction_, nodes_, index_, number);
    if (!read) return read.status();
    found = blocks_.emplace(number, std::move(*read)).first;
  }
  const std::uint32_t slot = graph::raw(node) % kNodesPerBlock;
  if (found->second.size() <= slot) found->second.resize(slot + 1);
  return &found->second[slot];
}

Status NodeBlockEditor::set(graph::NodeId node, const StoredNode& value) {
  Result<StoredNode*> stored = slot(node);
  if (!stored) return stored.status();
  **stored = value;
  return {};
}

Status NodeBlockEditor::set_state(graph::NodeId node, graph::NodeState state) {
  Result<StoredNode*> stored = slot(node);
  if (!stored) return stored.status();
  if ((*stored)->state == graph::NodeState::kFree) return {};
  if (state == graph::NodeState::kFree) {
    **stored = {};
  } else {
    (*stored)->state = state;
  }
  return {};
}

Status NodeBlockEditor::flush() {
  for (auto& [number, block] : blocks_) {
    while (!block.empty() && block.back() == StoredNode()) block.pop_back();
    const Key32 key(number);
    Status status;
    if (block.empty()) {
      status = transaction_.remove(nodes_, key.bytes());
    } else {
      RecordBuffer record = encode(block);
      seal({RecordKind::kNodes, index_, key.bytes()}, &record);
      status = transaction_.put(nodes_, key.bytes(), record);
    }
    if (!status.ok()) return status;
  }
  blocks_.clear();
  return {};
}

}  // namespace vicinal::persist
