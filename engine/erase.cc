// erase: a label is hidden; its node stays in the graph as a tombstone until it is repaired away.
#include "engine/base/check.h"
#include "engine/writer.h"
#include "persist/failpoints.h"

namespace vicinal::engine {

using graph::NodeId;
using persist::OperationKind;

Result<EraseOutcome> Writer::erase(Label label) {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  VICINAL_RETURN_IF_ERROR(state_.check_writable());
  {
    const LabelClaims::HeldOne claim(state_.claims, label);
    if (!claim) return state_.labels_taken();
    const NodeId node = state_.labels.find(label);
    if (!state_.live(node)) return EraseOutcome::kAbsent;
    persist::Operation operation;
    operation.kind = OperationKind::kErase;
    operation.label = label;
    operation.node = node;
    const Result<persist::Sequence> sequence = state_.append(operation);
    if (!sequence) return sequence.status();
    persist::failpoints::pass("erase.stored");
    state_.graph->erase(node);
    state_.finish(*sequence);
  }
  maintenance_.after_writes(1);
  return EraseOutcome::kErased;
}

Result<std::uint64_t> Writer::erase_batch(std::span<const Label> labels) {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  VICINAL_RETURN_IF_ERROR(state_.check_writable());
  std::vector<NodeId> nodes;
  std::vector<Label> erased;
  {
    const LabelClaims::Held claims(state_.claims, {labels.begin(), labels.end()});
    if (!claims) return state_.labels_taken();
    for (const Label label : claims.labels()) {
      const NodeId node = state_.labels.find(label);
      if (!state_.live(node)) continue;
      nodes.push_back(node);
      erased.push_back(label);
    }
    if (nodes.empty()) return std::uint64_t{0};
    persist::Operation operation;
    operation.kind = OperationKind::kEraseBatch;
    operation.nodes = nodes;
    operation.labels = erased;
    const Result<persist::Sequence> sequence = state_.append(operation);
    if (!sequence) return sequence.status();
    persist::failpoints::pass("erase_batch.stored");
    state_.graph->erase(nodes);
    state_.finish(*sequence);
  }
  maintenance_.after_writes(nodes.size());
  return static_cast<std::uint64_t>(nodes.size());
}

}  // namespace vicinal::engine
