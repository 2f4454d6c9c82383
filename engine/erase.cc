// erase: a label is hidden; its node stays in the graph as a tombstone until it is repaired away.
#include "engine/base/check.h"
#include "engine/index_core.h"

namespace vicinal::engine {

using graph::NodeId;
using persist::OperationKind;

Result<bool> IndexCore::erase(Label label) {
  const Gate::Pass pass(gate_);
  if (!pass) return closed_status();
  VICINAL_RETURN_IF_ERROR(check_writable());
  {
    const LabelClaims::HeldOne claim(claims_, label);
    if (!claim) return refused();
    const NodeId node = labels_.find(label);
    if (!live(node)) return false;
    persist::Operation operation;
    operation.kind = OperationKind::kErase;
    operation.label = label;
    operation.node = node;
    const Result<persist::Sequence> sequence = append(operation);
    if (!sequence) return sequence.status();
    graph_->erase(node);
    finish(*sequence);
  }
  after_writes(1);
  return true;
}

Result<std::uint64_t> IndexCore::erase_batch(std::span<const Label> labels) {
  const Gate::Pass pass(gate_);
  if (!pass) return closed_status();
  VICINAL_RETURN_IF_ERROR(check_writable());
  std::vector<NodeId> nodes;
  std::vector<Label> erased;
  {
    const LabelClaims::Held claims(claims_, {labels.begin(), labels.end()});
    if (!claims) return refused();
    for (const Label label : claims.labels()) {
      const NodeId node = labels_.find(label);
      if (!live(node)) continue;
      nodes.push_back(node);
      erased.push_back(label);
    }
    if (nodes.empty()) return std::uint64_t{0};
    persist::Operation operation;
    operation.kind = OperationKind::kEraseBatch;
    operation.nodes = nodes;
    operation.labels = erased;
    const Result<persist::Sequence> sequence = append(operation);
    if (!sequence) return sequence.status();
    graph_->erase(nodes);
    finish(*sequence);
  }
  after_writes(nodes.size());
  return static_cast<std::uint64_t>(nodes.size());
}

}  // namespace vicinal::engine
