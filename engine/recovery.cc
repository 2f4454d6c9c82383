#include "engine/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "engine/base/check.h"

namespace vicinal::engine {

using graph::kNoNode;
using graph::NodeId;
using graph::NodeState;
using persist::OperationKind;

Recovery::Recovery(IndexState& state)
    : state_(state), graph_(*state.graph), reporter_(state.options.progress, "links") {}

Result<RecoveryReport> Recovery::run() {
  const auto start = std::chrono::steady_clock::now();
  persist::LoadOptions options{.salvage = state_.options.salvage, .workers = state_.workers(0)};
  Reporter vectors(state_.options.progress, "vectors");
  if (state_.options.progress) {
    options.progress = [&](const Progress& p) { return vectors.part(p.phase, p.done, p.total); };
  }
  const Result<persist::LoadReport> report = state_.records->load(*this, options);
  if (!report) return report.status();
  vectors.finish();
  VICINAL_RETURN_IF_ERROR(take_labels());
  journal_entries_ = report->journal_entries;
  graph_.finish_placing(node_limit_);
  if (!graph_.flat()) {
    const std::size_t unlinked = graph_.unlinked_nodes().size();
    finish_links(unlinked > 0);
    unsaved_bytes_ = unlinked * state_.row_bytes();
    graph_.link_backlog(graph_.node_limit());  // what was placed before there were too many
    VICINAL_RETURN_IF_ERROR(link_missing(graph_.unlinked_nodes()));
  } else {
    unsaved_bytes_ = replayed_.size() * state_.row_bytes();
  }
  if (reporter_.cancelled()) {
    return Status::cancelled(fmt::format("opening index \"{}\" cancelled", state_.name));
  }
  reporter_.finish();
  state_.fresh->drop_stored(graph_, *state_.records);
  VICINAL_RETURN_IF_ERROR(record_hidden());
  RecoveryReport done;
  done.salvaged = report->salvaged;
  // Links to nodes that a crash took from the journal's end are no damage.
  done.repaired_links =
      report->damaged_links + rejected_links_ + (journal_entries_ == 0 ? cut_links_.load() : 0);
  done.unsaved_bytes = unsaved_bytes_;
  done.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return done;
}

Status Recovery::begin(std::uint64_t node_limit, graph::EntryPoint entry_point) {
  node_limit_ = node_limit;
  entry_point_ = entry_point;
  if (entry_point.node != kNoNode) graph_.begin_linking();  // there are links
  graph_.reserve(node_limit);
  state_.labels.reserve(node_limit);
  return {};
}

Status Recovery::place(std::span<const persist::LoadedNode> run) { return graph_.place_nodes(run); }

Status Recovery::take_labels() {
  if (std::exchange(labels_taken_, true)) return {};
  for (const NodeId node : state_.labels.take_live(state_.workers(0))) {
    VICINAL_RETURN_IF_ERROR(settle(node));
  }
  state_.labels.take_tombstones();
  return {};
}

Status Recovery::settle(NodeId node) {
  const Label label = graph_.label(node);
  const NodeId twin = state_.labels.find(label);
  if (!state_.live(twin)) {
    state_.labels.set(node);
    return {};
  }
  const NodeId first = std::min(node, twin);
  const NodeId last = std::max(node, twin);
  if (!state_.options.salvage) {
    return Status::corruption(fmt::format("label {} of index \"{}\" has two live nodes, {} and {}",
                                          label, state_.name, graph::raw(first), graph::raw(last)));
  }
  graph_.erase(first);
  hidden_.push_back(first);
  state_.labels.set(last);
  return {};
}

Status Recovery::links(std::span<const graph::StoredLinks> nodes) {
  const graph::RestoredLinks report = graph_.restore_links(nodes);
  rejected_links_ += report.rejected_nodes;
  roots_ += report.roots;
  cut_links_ += report.cut_nodes;
  return {};
}

bool Recovery::exists(NodeId node) const {
  return graph::raw(node) < graph_.node_limit() && graph_.state(node) != NodeState::kFree;
}

void Recovery::take_label(NodeId node) {
  const NodeId twin = state_.labels.find(graph_.label(node));
  if (twin != node && state_.live(twin)) {
    graph_.erase(twin);
    hidden_.push_back(twin);
  }
  state_.labels.set(node);
}

Status Recovery::replay(persist::Sequence sequence, const persist::Operation& operation) {
  VICINAL_RETURN_IF_ERROR(take_labels());
  const auto missing = [&](NodeId node) {
    return Status::corruption(
        fmt::format("journal entry {} of index \"{}\" names node {}, which does not exist",
                    sequence, state_.name, graph::raw(node)));
  };
  switch (operation.kind) {
    case OperationKind::kUpsert:
      return replay_upsert(operation);
    case OperationKind::kErase:
      if (!exists(operation.node)) return missing(operation.node);
      graph_.erase(operation.node);
      return {};
    case OperationKind::kResurrect:
      if (!exists(operation.node)) return missing(operation.node);
      return replay_resurrect(operation.node);
    case OperationKind::kFree:
    case OperationKind::kBatch:
    case OperationKind::kEraseBatch:
      break;  // delivered as the operations above
  }
  return Status::corruption(fmt::format("journal entry {} of index \"{}\" has kind {}", sequence,
                                        state_.name, static_cast<int>(operation.kind)));
}

Status Recovery::replay_upsert(const persist::Operation& operation) {
  VICINAL_RETURN_IF_ERROR(graph_.place_node(operation.node, operation.label, operation.level,
                                            operation.row.data(), NodeState::kPending));
  const NodeId replaced =
      operation.replaced != kNoNode && exists(operation.replaced) ? operation.replaced : kNoNode;
  if (state_.live(replaced)) graph_.erase(replaced);
  graph_.show(operation.node);
  take_label(operation.node);
  if (!operation.row_in_chunk) state_.fresh->add(operation.node, operation.row);  // E5
  replayed_.push_back(operation.node);
  node_limit_ = std::max<std::uint64_t>(node_limit_, graph::raw(operation.node) + 1ull);
  return {};
}

Status Recovery::replay_resurrect(NodeId node) {
  if (!state_.live(node)) graph_.resurrect(node);
  take_label(node);
  return {};
}

void Recovery::finish_links(bool some_unlinked) {
  const bool several_trees = roots_ > std::uint64_t{entry_point_.level} + 1;
  const bool damaged = journal_entries_ > 0 || rejected_links_ > 0 || cut_links_ > 0 ||
                       some_unlinked || several_trees;
  graph_.finish_restoring(entry_point_, damaged, state_.threads_or(0));
}

Status Recovery::link_missing(std::vector<NodeId> missing) {
  if (!missing.empty() && !replayed_.empty()) {
    NodeSet journaled;
    for (const NodeId node : replayed_) journaled.insert(node);
    std::erase_if(missing, [&](NodeId node) { return journaled.contains(node); });
  }
  for (const NodeId node : replayed_) {
    if (!graph_.linked(node)) missing.push_back(node);
  }
  if (missing.empty()) return {};
  graph_.link_batch(missing, state_.threads_or(0), [&](std::uint64_t done, std::uint64_t total) {
    return reporter_(done, total);
  });
  return {};
}

Status Recovery::record_hidden() {
  if (hidden_.empty() || state_.read_only) return {};
  std::vector<Label> labels;
  for (const NodeId node : hidden_) labels.push_back(graph_.label(node));
  persist::Operation operation;
  operation.kind = OperationKind::kEraseBatch;
  operation.nodes = hidden_;
  operation.labels = labels;
  const Result<persist::Sequence> sequence = state_.append(operation);
  if (!sequence) return sequence.status();
  state_.finish(*sequence);
  return {};
}

}  // namespace vicinal::engine
