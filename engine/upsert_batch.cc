// upsert_batch: many vectors in one commit, linked by all threads, shown in one step or by rounds.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <numeric>
#include <utility>

#include "engine/base/check.h"
#include "engine/index_core.h"
#include "engine/pinned.h"
#include "engine/vector_check.h"

namespace vicinal::engine {

using graph::kNoNode;
using graph::NodeId;
using persist::OperationKind;

/// What a batch will do. `rows[i]`, `labels[i]`, `fresh[i]`, ... belong together.
struct IndexCore::BatchPlan {
  std::span<const float> vectors;
  std::size_t dimension = 0;
  std::vector<std::size_t> winners;  ///< the last row of every label, in row order
  std::vector<Label> winner_labels;
  BatchResult result;

  std::vector<std::size_t> rows;
  std::vector<Label> labels;
  std::vector<NodeId> replaced;  ///< the label's node until now, or kNoNode
  std::vector<NodeId> fresh;
  std::vector<graph::Level> levels;

  std::vector<std::size_t> resurrected_rows;
  std::vector<Label> resurrected_labels;
  std::vector<NodeId> resurrected;

  /// Those of `resurrected` from the `first`-th on cannot be any more: inserted afresh.
  void insert_condemned(std::size_t first) {
    for (std::size_t i = first; i < resurrected.size(); ++i) {
      rows.push_back(resurrected_rows[i]);
      labels.push_back(resurrected_labels[i]);
      replaced.push_back(resurrected[i]);
    }
    result.resurrected = resurrected.size();
    resurrected_rows.resize(first);
    resurrected_labels.resize(first);
    resurrected.resize(first);
  }
  std::span<const float> row(std::size_t i) const {
    return vectors.subspan(i * dimension, dimension);
  }
  void insert(std::size_t row_index, Label label, NodeId old) {
    rows.push_back(row_index);
    labels.push_back(label);
    replaced.push_back(old);
    ++(old == kNoNode ? result.inserted : result.updated);
  }
};

namespace {

/// The last row of every label, in row order.
std::vector<std::size_t> last_rows(std::span<const Label> labels) {
  std::vector<std::size_t> order(labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return labels[a] != labels[b] ? labels[a] < labels[b] : a > b;
  });
  order.erase(std::unique(order.begin(), order.end(),
                          [&](std::size_t a, std::size_t b) { return labels[a] == labels[b]; }),
              order.end());
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace

Result<BatchResult> IndexCore::upsert_batch(std::span<const Label> labels,
                                            std::span<const float> vectors,
                                            const BatchOptions& options) {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  VICINAL_RETURN_IF_ERROR(state_.check_writable());
  VICINAL_RETURN_IF_ERROR(check_shape(state_.options.dimension, labels.size(), vectors.size()));
  BatchPlan plan;
  plan.vectors = vectors;
  plan.dimension = state_.options.dimension;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const Status status = check_vector(state_.graph->kernels(), state_.options.metric,
                                       state_.options.dimension, plan.row(i));
    if (!status.ok()) {
      return Status(status.code(),
                    fmt::format("row {} (label {}): {}", i, labels[i], status.message()));
    }
  }
  plan.winners = last_rows(labels);
  for (const std::size_t i : plan.winners) plan.winner_labels.push_back(labels[i]);
  plan.result.repeated = labels.size() - plan.winners.size();
  if (plan.winners.size() >= IndexState::kWorthLoading) {
    VICINAL_RETURN_IF_ERROR(state_.load_vectors(options.threads, options.progress));
  }

  Result<BatchResult> result = [&] {
    const LabelClaims::Held claims(state_.claims, plan.winner_labels);
    return claims ? upsert_batch_claimed(plan, options)
                  : Result<BatchResult>(state_.labels_taken());
  }();
  const std::uint64_t written = plan.fresh.size() + plan.resurrected.size();
  checkpoints_.add_unsaved(plan.fresh.size() * state_.row_bytes());
  if (written > 0) maintenance_.after_writes(written);
  return result;
}

Result<BatchResult> IndexCore::upsert_batch_claimed(BatchPlan& plan, const BatchOptions& options) {
  classify(plan);
  const Pinned pinned(*state_.graph, plan.resurrected);
  plan.insert_condemned(pinned.count());
  VICINAL_RETURN_IF_ERROR(add_planned(plan, state_.threads_or(options.threads)));
  if (plan.fresh.empty() && plan.resurrected.empty()) return plan.result;
  Result<persist::Sequence> sequence = persist::Sequence{0};
  std::vector<NodeId> pending;
  try {
    pending.reserve(plan.fresh.size());                            // for show_planned()
    for (const NodeId node : plan.fresh) state_.labels.set(node);  // E4
    sequence = commit_planned(plan);
  } catch (...) {
    take_back(plan.fresh, plan.replaced);  // nothing was stored
    throw;
  }
  if (!sequence) {
    take_back(plan.fresh, plan.replaced);
    return sequence.status();
  }
  // From here on nothing fails: what cannot be linked is shown all the same (graph/link_backlog.h).
  state_.fresh.raise_epoch();
  Status status;
  std::exception_ptr thrown;
  try {
    status = state_.options.rebuild_on_upsert ? rebuild_and_link(plan, options)
                                              : link_planned(plan, options);
  } catch (const std::bad_alloc&) {  // the batch counts
    state_.graph->link_missing(plan.fresh);
  } catch (...) {  // by a callback
    thrown = std::current_exception();
    state_.graph->link_missing(plan.fresh);
  }
  show_planned(plan, pending);
  state_.finish(*sequence);
  if (thrown) std::rethrow_exception(thrown);
  if (!status.ok()) return status;
  return plan.result;
}

void IndexCore::classify(BatchPlan& plan) const {
  for (std::size_t i = 0; i < plan.winners.size(); ++i) {
    const std::size_t row_index = plan.winners[i];
    const Label label = plan.winner_labels[i];
    const NodeId old = state_.labels.find(label);
    if (old == kNoNode || !state_.holds(old, plan.row(row_index))) {
      plan.insert(row_index, label, old);
    } else if (state_.live(old)) {
      ++plan.result.unchanged;
    } else if (state_.graph->state(old) == graph::NodeState::kTombstone) {
      plan.resurrected_rows.push_back(row_index);
      plan.resurrected_labels.push_back(label);
      plan.resurrected.push_back(old);
    } else {
      plan.insert(row_index, label, old);
    }
  }
}

Status IndexCore::add_planned(BatchPlan& plan, unsigned threads) {
  std::vector<graph::Graph::NewNode> nodes(plan.rows.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i] = {plan.labels[i], plan.row(plan.rows[i]).data(), plan.replaced[i]};
  }
  plan.levels.reserve(nodes.size());
  Result<std::vector<NodeId>> fresh = state_.graph->add_nodes(nodes, threads);
  if (!fresh) return fresh.status();
  plan.fresh = std::move(*fresh);
  for (const NodeId node : plan.fresh) plan.levels.push_back(state_.graph->level(node));
  return {};
}

Result<persist::Sequence> IndexCore::commit_planned(const BatchPlan& plan) {
  if (state_.records == nullptr) return persist::Sequence{0};
  persist::Batch batch;
  batch.nodes = plan.fresh;
  batch.labels = plan.labels;
  batch.levels = plan.levels;
  batch.replaced = plan.replaced;
  batch.row = [&plan](std::size_t i) { return plan.row(plan.rows[i]).data(); };
  batch.resurrected = plan.resurrected;
  batch.resurrected_labels = plan.resurrected_labels;
  return state_.records->append_batch(batch);
}

Status IndexCore::link_planned(BatchPlan& plan, const BatchOptions& options) {
  Reporter reporter(options.progress, "links", CallbackScope::Holds::kLabels);
  const unsigned threads = state_.threads_or(options.threads);
  // Shown in one step at the end, nodes of a batch are in everybody's way until then: a large one
  // would leave searches little else to walk through.
  graph::Graph::RoundCallback shown;
  if (plan.fresh.size() > state_.graph->live() / 8) {
    shown = [this](std::span<const NodeId> round) { state_.graph->show(round); };
  }
  const bool whole = state_.graph->link_batch(
      plan.fresh, threads, shown,
      [&](std::uint64_t done, std::uint64_t total) { return reporter(done, total); });
  if (whole) return {};
  const std::size_t asked = plan.fresh.size();
  if (take_back_unlinked(plan)) {
    return Status::cancelled(fmt::format(
        "upsert_batch cancelled: {} of {} vectors were linked and are stored, the others are not",
        plan.fresh.size(), asked));
  }
  // What is committed and cannot be taken back must be in the graph.
  state_.graph->link_missing(plan.fresh);
  return {};
}

Status IndexCore::rebuild_and_link(BatchPlan& plan, const BatchOptions& options) {
  const unsigned threads = state_.threads_or(options.threads);
  // Without waiting for maintenance, which may wait for the labels of this batch.
  Status status = maintenance_.rebuild_graph(threads, options.progress, false, plan.fresh);
  if (!status.ok()) state_.graph->link_missing(plan.fresh);
  return status.code() == StatusCode::kBusy ? Status() : status;
}

void IndexCore::show_planned(const BatchPlan& plan, std::vector<NodeId>& pending) {
  pending.clear();
  for (const NodeId node : plan.fresh) {
    if (state_.graph->state(node) == graph::NodeState::kPending) pending.push_back(node);
  }
  state_.graph->show(pending, plan.resurrected);
}

void IndexCore::take_back(std::span<const NodeId> nodes, std::span<const NodeId> replaced) {
  for (std::size_t i = 0; i < nodes.size(); ++i) state_.labels.put_back(nodes[i], replaced[i]);
  state_.graph->discard_nodes(nodes);
}

bool IndexCore::take_back_unlinked(BatchPlan& plan) {
  BatchPlan kept;
  BatchPlan undone;
  for (std::size_t i = 0; i < plan.fresh.size(); ++i) {
    const bool linked = state_.graph->linked(plan.fresh[i]);
    BatchPlan& to = linked ? kept : undone;
    to.insert(plan.rows[i], plan.labels[i], plan.replaced[i]);
    to.fresh.push_back(plan.fresh[i]);
    to.levels.push_back(plan.levels[i]);
    if (linked || !state_.live(plan.replaced[i])) continue;
    undone.resurrected.push_back(plan.replaced[i]);
    undone.resurrected_labels.push_back(plan.labels[i]);
  }
  const Result<persist::Sequence> sequence = store_taking_back(undone);
  if (!sequence) return false;
  take_back(undone.fresh, undone.replaced);
  state_.finish(*sequence);
  plan.rows.swap(kept.rows);
  plan.labels.swap(kept.labels);
  plan.replaced.swap(kept.replaced);
  plan.fresh.swap(kept.fresh);
  plan.levels.swap(kept.levels);
  plan.result.inserted = kept.result.inserted;
  plan.result.updated = kept.result.updated;
  return true;
}

Result<persist::Sequence> IndexCore::store_taking_back(const BatchPlan& undone) {
  if (state_.records == nullptr) return persist::Sequence{0};
  persist::Batch batch;
  batch.resurrected = undone.resurrected;
  batch.resurrected_labels = undone.resurrected_labels;
  batch.freed = undone.fresh;
  return state_.records->append_batch(batch);
}

}  // namespace vicinal::engine
