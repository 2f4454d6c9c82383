#include "persist/node_blocks.h"

#include "persist/codec.h"

namespace vicinal::persist {

Result<NodeBlock> read_node_block(Transaction& transaction, const IndexRange& nodes,
                                  std::uint32_t block) {
  const Key32 key(block);
  Bytes value;
  Result<bool> found = nodes.get(transaction, key.bytes(), &value);
  if (!found) return found.status();
  NodeBlock result;
  if (!*found) return result;
  const RecordId id{RecordKind::kNodes, nodes.index(), key.bytes()};
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
    Result<NodeBlock> read = read_node_block(transaction_, nodes_, block);
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
    Result<NodeBlock> read = read_node_block(transaction_, nodes_, number);
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
  CountedRange counted(transaction_, nodes_);
  for (auto& [number, block] : blocks_) {
    while (!block.empty() && block.back() == StoredNode()) block.pop_back();
    const Key32 key(number);
    Status status;
    if (block.empty()) {
      status = counted.remove(key.bytes());
    } else {
      RecordBuffer record = encode(block);
      seal({RecordKind::kNodes, nodes_.index(), key.bytes()}, &record);
      status = counted.put(key.bytes(), record, PutMode::kReplace);
    }
    if (!status.ok()) return status;
  }
  blocks_.clear();
  return counted.flush();
}

}  // namespace vicinal::persist
