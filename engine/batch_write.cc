#include "engine/batch_write.h"

#include <fmt/format.h>

#include <exception>
#include <new>

#include "engine/base/check.h"
#include "engine/pinned.h"
#include "engine/progress.h"
#include "persist/failpoints.h"

namespace vicinal::engine {

using graph::kNoNode;
using graph::NodeId;

Result<BatchResult> BatchWrite::run() {
  classify();
  const Pinned pinned(*state_.graph, plan_.resurrected);
  plan_.insert_condemned(pinned.count());
  VICINAL_RETURN_IF_ERROR(add());
  if (plan_.fresh.empty() && plan_.resurrected.empty()) return plan_.result;
  Result<persist::Sequence> sequence = persist::Sequence{0};
  std::vector<NodeId> pending;
  try {
    pending.reserve(plan_.fresh.size());                            // for show()
    for (const NodeId node : plan_.fresh) state_.labels.set(node);  // E4
    sequence = commit();
  } catch (...) {
    take_back(plan_.fresh, plan_.replaced);  // nothing was stored
    throw;
  }
  if (!sequence) {
    take_back(plan_.fresh, plan_.replaced);
    return sequence.status();
  }
  // From here on nothing fails: what cannot be linked is shown all the same (graph/link_backlog.h).
  persist::failpoints::pass("batch.stored");
  if (state_.durable) state_.fresh->raise_epoch();
  Status status;
  std::exception_ptr thrown;
  try {
    status = state_.options.rebuild_on_upsert ? rebuild_and_link() : link();
  } catch (const std::bad_alloc&) {  // the batch counts
    state_.graph->link_missing(plan_.fresh);
  } catch (...) {  // by a callback
    thrown = std::current_exception();
    state_.graph->link_missing(plan_.fresh);
  }
  persist::failpoints::pass("batch.linked");
  show(pending);
  state_.finish(*sequence);
  if (thrown) std::rethrow_exception(thrown);
  if (!status.ok()) return status;
  return plan_.result;
}

void BatchWrite::classify() {
  for (std::size_t i = 0; i < plan_.winners.size(); ++i) {
    const std::size_t row_index = plan_.winners[i];
    const Label label = plan_.winner_labels[i];
    const NodeId old = state_.labels.find(label);
    if (old == kNoNode || !state_.holds(old, plan_.row(row_index))) {
      plan_.insert(row_index, label, old);
    } else if (state_.live(old)) {
      ++plan_.result.unchanged;
    } else if (state_.graph->state(old) == graph::NodeState::kTombstone) {
      plan_.resurrect(row_index, label, old);
    } else {
      plan_.insert_again(row_index, label, old);
    }
  }
}

Status BatchWrite::add() {
  std::vector<graph::Graph::NewNode> nodes(plan_.rows.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i] = {plan_.labels[i], plan_.row(plan_.rows[i]).data(), plan_.replaced[i]};
  }
  plan_.levels.reserve(nodes.size());
  Result<std::vector<NodeId>> fresh = state_.graph->add_nodes(nodes, threads_);
  if (!fresh) return fresh.status();
  plan_.fresh = std::move(*fresh);
  for (const NodeId node : plan_.fresh) plan_.levels.push_back(state_.graph->level(node));
  return {};
}

Result<persist::Sequence> BatchWrite::commit() {
  if (state_.records == nullptr) return persist::Sequence{0};
  persist::Batch batch;
  batch.nodes = plan_.fresh;
  batch.labels = plan_.labels;
  batch.levels = plan_.levels;
  batch.replaced = plan_.replaced;
  batch.row = [this](std::size_t i) { return plan_.row(plan_.rows[i]).data(); };
  batch.resurrected = plan_.resurrected;
  batch.resurrected_labels = plan_.resurrected_labels;
  return state_.records->append_batch(batch);
}

Status BatchWrite::link() {
  Reporter reporter(options_.progress, "links", CallbackScope::Holds::kLabels);
  // Shown in one step at the end, nodes of a batch are in everybody's way until then: a large one
  // would leave searches little else to walk through.
  graph::Graph::RoundCallback shown;
  if (plan_.fresh.size() > state_.graph->live() / 8) {
    shown = [this](std::span<const NodeId> round) {
      state_.graph->show(round);
      persist::failpoints::pass("batch.round");
    };
  }
  const bool whole = state_.graph->link_batch(
      plan_.fresh, threads_, shown,
      [&](std::uint64_t done, std::uint64_t total) { return reporter(done, total); });
  if (whole) {
    reporter.finish();
    return {};
  }
  const std::size_t asked = plan_.fresh.size();
  if (take_back_unlinked()) {
    return Status::cancelled(fmt::format(
        "upsert_batch cancelled: {} of {} vectors were linked and are stored, the others are not",
        plan_.fresh.size(), asked));
  }
  // What is committed and cannot be taken back must be in the graph.
  state_.graph->link_missing(plan_.fresh);
  return {};
}

Status BatchWrite::rebuild_and_link() {
  // Without waiting for maintenance, which may wait for the labels of this batch.
  Status status = maintenance_.rebuild_graph(threads_, options_.progress, false, plan_.fresh);
  if (!status.ok()) state_.graph->link_missing(plan_.fresh);
  return status.code() == StatusCode::kBusy ? Status() : status;
}

void BatchWrite::show(std::vector<NodeId>& pending) {
  pending.clear();
  for (const NodeId node : plan_.fresh) {
    if (state_.graph->state(node) == graph::NodeState::kPending) pending.push_back(node);
  }
  state_.graph->show(pending, plan_.resurrected);
}

void BatchWrite::take_back(std::span<const NodeId> nodes, std::span<const NodeId> replaced) {
  for (std::size_t i = 0; i < nodes.size(); ++i) state_.labels.put_back(nodes[i], replaced[i]);
  state_.graph->discard_nodes(nodes);
}

bool BatchWrite::take_back_unlinked() {
  BatchPlan kept;
  BatchPlan undone;
  for (std::size_t i = 0; i < plan_.fresh.size(); ++i) {
    // What stands in the backlog may be shown already, or be linked by somebody else at any time.
    const NodeId node = plan_.fresh[i];
    const bool linked = state_.graph->linked(node) || state_.graph->in_backlog(node) ||
                        state_.graph->state(node) != graph::NodeState::kPending;
    BatchPlan& to = linked ? kept : undone;
    to.insert(plan_.rows[i], plan_.labels[i], plan_.replaced[i]);
    to.fresh.push_back(plan_.fresh[i]);
    to.levels.push_back(plan_.levels[i]);
    if (linked || !state_.live(plan_.replaced[i])) continue;
    undone.resurrected.push_back(plan_.replaced[i]);
    undone.resurrected_labels.push_back(plan_.labels[i]);
  }
  const Result<persist::Sequence> sequence = store_taking_back(undone);
  if (!sequence) return false;
  take_back(undone.fresh, undone.replaced);
  state_.finish(*sequence);
  plan_.rows.swap(kept.rows);
  plan_.labels.swap(kept.labels);
  plan_.replaced.swap(kept.replaced);
  plan_.fresh.swap(kept.fresh);
  plan_.levels.swap(kept.levels);
  plan_.result.inserted = kept.result.inserted;
  plan_.result.updated = kept.result.updated;
  return true;
}

Result<persist::Sequence> BatchWrite::store_taking_back(const BatchPlan& undone) {
  if (state_.records == nullptr) return persist::Sequence{0};
  persist::Batch batch;
  batch.resurrected = undone.resurrected;
  batch.resurrected_labels = undone.resurrected_labels;
  batch.freed = undone.fresh;
  return state_.records->append_batch(batch);
}

}  // namespace vicinal::engine
