// upsert: one vector, durable before it is visible.
#include <memory>
#include <new>

#include "engine/base/allocator.h"
#include "engine/base/check.h"
#include "engine/base/step_hook.h"
#include "engine/pinned.h"
#include "engine/vector_check.h"
#include "engine/writer.h"
#include "persist/failpoints.h"

namespace vicinal::engine {

using graph::kNoNode;
using graph::NodeId;
using persist::OperationKind;

namespace {

/// A plan, or null.
std::shared_ptr<graph::LinkPlan> plan_link(const graph::Graph& graph, NodeId node) noexcept {
  try {
    return graph.plan_link(node);
  } catch (const std::bad_alloc&) {
    return nullptr;  // link() will search
  }
}

}  // namespace

Result<UpsertOutcome> Writer::upsert(Label label, std::span<const float> vector) {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  VICINAL_RETURN_IF_ERROR(state_.check_writable());
  if (checkpoints_ != nullptr) VICINAL_RETURN_IF_ERROR(checkpoints_->refusal());
  internal::Vector<std::byte> room(state_.room_bytes());
  const Result<std::span<const std::byte>> row = row_of(*state_.graph, vector, room);
  if (!row) return row.status();
  if (state_.options.rebuild_on_upsert) {
    const Result<BatchResult> batch = upsert_batch({&label, 1}, vector, {});
    if (!batch) return batch.status();
    if (batch->inserted > 0) return UpsertOutcome::kInserted;
    if (batch->updated > 0) return UpsertOutcome::kUpdated;
    return batch->resurrected > 0 ? UpsertOutcome::kResurrected : UpsertOutcome::kUnchanged;
  }
  Result<UpsertOutcome> outcome = [&] {
    const LabelClaims::HeldOne claim(state_.claims, label);
    return claim ? upsert_claimed(label, *row) : Result<UpsertOutcome>(state_.labels_taken());
  }();
  if (outcome && *outcome != UpsertOutcome::kUnchanged) maintenance_.after_writes(1);
  return outcome;
}

Result<UpsertOutcome> Writer::upsert_claimed(Label label, std::span<const std::byte> row) {
  const NodeId old = state_.labels.find(label);
  const bool same = old != kNoNode && state_.holds(old, row);
  if (same) {
    if (state_.live(old)) return UpsertOutcome::kUnchanged;
    const Result<bool> lifted = resurrect_claimed(label, old);
    if (!lifted) return lifted.status();
    if (*lifted) return UpsertOutcome::kResurrected;
  }
  VICINAL_RETURN_IF_ERROR(insert_claimed(label, row, old));
  if (old == kNoNode) return UpsertOutcome::kInserted;
  // What repair has condemned gets a new node; to callers it is back all the same, as of a batch.
  return same ? UpsertOutcome::kResurrected : UpsertOutcome::kUpdated;
}

Result<bool> Writer::resurrect_claimed(Label label, NodeId node) {
  const Pinned pinned(*state_.graph, {&node, 1});
  if (pinned.count() == 0) return false;
  persist::Operation operation;
  operation.kind = OperationKind::kResurrect;
  operation.label = label;
  operation.node = node;
  const Result<persist::Sequence> sequence = state_.append(operation);
  if (!sequence) return sequence.status();
  persist::failpoints::pass("resurrect.stored");
  state_.graph->resurrect(node);
  state_.finish(*sequence);
  return true;
}

Status Writer::insert_claimed(Label label, std::span<const std::byte> row, NodeId old) {
  const Result<NodeId> fresh = state_.graph->add_node(label, row.data(), old);
  if (!fresh) return fresh.status();
  persist::Operation operation;
  operation.kind = OperationKind::kUpsert;
  operation.label = label;
  operation.node = *fresh;
  operation.replaced = old;
  operation.level = state_.graph->level(*fresh);
  operation.row = row;
  // The search for its neighbors changes nothing, so it need not wait until the node is durable.
  std::shared_ptr<graph::LinkPlan> plan;
  Result<persist::Sequence> sequence = persist::Sequence{0};
  const auto take_back = [&] {
    state_.labels.put_back(*fresh, old);
    if (state_.durable) state_.fresh->drop({&*fresh, 1});
    state_.graph->discard_nodes({&*fresh, 1});
  };
  try {
    state_.labels.set(*fresh);  // E4
    VICINAL_STEP_POINT("upsert.labelled");
    if (state_.durable) state_.fresh->add(*fresh, row);
    sequence = state_.append(operation, [&] { plan = plan_link(*state_.graph, *fresh); });
  } catch (...) {
    take_back();  // nothing was stored
    throw;
  }
  if (!sequence) {
    take_back();
    return sequence.status();
  }
  VICINAL_STEP_POINT("upsert.stored");
  persist::failpoints::pass("upsert.stored");
  state_.graph->link(*fresh, plan);
  VICINAL_STEP_POINT("upsert.linked");
  persist::failpoints::pass("upsert.linked");
  state_.graph->show(*fresh);
  state_.finish(*sequence);
  return {};
}

}  // namespace vicinal::engine
