#include "engine/freeing.h"

#include "engine/base/check.h"
#include "persist/failpoints.h"

namespace vicinal::engine {

using graph::NodeId;
using persist::OperationKind;

namespace {

constexpr std::size_t kFreedAtOnce = 4096;

}  // namespace

Result<std::uint64_t> Freeing::free_unlinked() {
  const Turn::Taken turn(freeing_, false);
  if (!turn) return std::uint64_t{0};  // somebody else is at it
  std::uint64_t freed = 0;
  for (;;) {
    if (unfreed_.empty()) unfreed_ = state_.graph->take_unlinked(kFreedAtOnce);
    if (unfreed_.empty()) return freed;
    VICINAL_RETURN_IF_ERROR(free(unfreed_));
    freed += unfreed_.size();
    unfreed_.clear();
  }
}

Status Freeing::free(std::span<const NodeId> nodes) {
  std::vector<Label> labels;
  labels.reserve(nodes.size());
  for (const NodeId node : nodes) labels.push_back(state_.graph->label(node));
  {
    // Under the claims no writer is between looking a label up and using its tombstone.
    const LabelClaims::Held claims(state_.claims, labels);
    if (!claims) return state_.labels_taken();
    persist::Operation operation;
    operation.kind = OperationKind::kFree;
    operation.nodes = nodes;
    const Result<persist::Sequence> sequence = state_.append(operation);
    if (!sequence) return sequence.status();
    persist::failpoints::pass("repair.freed");
    for (std::size_t i = 0; i < nodes.size(); ++i) state_.labels.forget(labels[i], nodes[i]);
    if (state_.durable) state_.fresh->drop(nodes);
    state_.finish(*sequence);
  }
  state_.graph->recycle(nodes);
  persist::failpoints::pass("repair.recycled");
  return {};
}

}  // namespace vicinal::engine
