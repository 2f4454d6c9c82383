// Reading without searching: get, contains, walks over labels and nodes.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "engine/base/check.h"
#include "engine/base/step_hook.h"
#include "engine/callback.h"
#include "engine/reader.h"
#include "graph/row_codec.h"

namespace vicinal::engine {

using graph::kNoNode;
using graph::Moment;
using graph::NodeId;
using graph::NodeState;

template <typename Take>
Status Reader::with_row(Label label, const Take& take) const {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  const Moment moment(*state_.graph);
  const NodeId now = state_.labels.find(label);
  VICINAL_STEP_POINT("get.found");
  const NodeId node = moment.stood(now);
  if (node == kNoNode) {
    return Status::not_found(fmt::format("no label {} in index \"{}\"", label, state_.name));
  }
  const std::unique_ptr<StoredRows> source = state_.rows(StoredRows::Reading::kVerified);
  const std::byte* const stored = state_.row(node, source.get());
  if (stored == nullptr) return unreadable(label, *source);
  take(stored);
  return {};
}

Result<std::vector<float>> Reader::get(Label label) const {
  std::vector<float> vector;
  const Status status = with_row(label, [&](const std::byte* row) {
    vector.resize(state_.options.dimension);
    state_.graph->codec().decode(row, vector.data());
  });
  if (!status.ok()) return status;
  return vector;
}

Result<std::vector<std::byte>> Reader::get_stored(Label label) const {
  std::vector<std::byte> stored;
  const Status status =
      with_row(label, [&](const std::byte* row) { stored.assign(row, row + state_.row_bytes()); });
  if (!status.ok()) return status;
  return stored;
}

Status Reader::unreadable(Label label, const StoredRows& rows) const {
  const Status why = rows.why();
  return Status(why.ok() ? StatusCode::kIoError : why.code(),
                fmt::format("the vector of label {} in index \"{}\" cannot be read{}{}", label,
                            state_.name, why.ok() ? "" : ": ", why.message()));
}

bool Reader::contains(Label label) const {
  if (state_.gate.closed()) return false;
  const Moment moment(*state_.graph);
  return moment.stood(state_.labels.find(label)) != kNoNode;
}

std::vector<Label> Reader::live_labels() const {
  const Moment moment(*state_.graph);
  std::vector<Label> live;
  for (std::size_t shard = 0; shard < LabelMap::kShards; ++shard) {
    for (const Label label : state_.labels.labels_of(shard)) {
      if (moment.stood(state_.labels.find(label)) != kNoNode) live.push_back(label);
    }
  }
  return live;
}

Status Reader::for_each(const std::function<bool(Label, std::span<const float>)>& visit) const {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  // Runs are copied out: `visit` may write, and nothing waits for a moment that lasts that long.
  constexpr std::size_t kRun = 256;
  std::vector<Label> live;
  std::vector<float> vectors;
  for (std::size_t shard = 0; shard < LabelMap::kShards; ++shard) {
    const std::vector<Label> labels = state_.labels.labels_of(shard);
    for (std::size_t first = 0; first < labels.size(); first += kRun) {
      live.clear();
      vectors.clear();
      const std::size_t count = std::min(kRun, labels.size() - first);
      VICINAL_RETURN_IF_ERROR(
          copy_live_rows(std::span(labels).subspan(first, count), live, vectors));
      for (std::size_t i = 0; i < live.size(); ++i) {
        const CallbackScope scope(CallbackScope::Holds::kNothing);
        if (!visit(live[i], std::span(vectors).subspan(i * state_.options.dimension,
                                                       state_.options.dimension))) {
          return {};
        }
      }
    }
  }
  return {};
}

Status Reader::copy_live_rows(std::span<const Label> labels, std::vector<Label>& live,
                              std::vector<float>& vectors) const {
  const Moment moment(*state_.graph);
  const std::unique_ptr<StoredRows> source = state_.rows(StoredRows::Reading::kVerified);
  for (const Label label : labels) {
    const NodeId node = moment.stood(state_.labels.find(label));
    if (node == kNoNode) continue;
    const std::byte* const stored = state_.row(node, source.get());
    if (stored == nullptr) return unreadable(label, *source);
    live.push_back(label);
    vectors.resize(live.size() * state_.options.dimension);
    state_.graph->codec().decode(stored, &*(vectors.end() - state_.options.dimension));
  }
  return {};
}

Index::NodeView Reader::view(const Moment& moment, NodeId node) const {
  Index::NodeView view;
  view.label = state_.graph->label(node);
  view.node = graph::raw(node);
  view.level = state_.graph->level(node);
  view.live = moment.counts(node);
  for (const graph::LevelLinks& level : state_.graph->links(node)) {
    std::vector<Label>& labels = view.links.emplace_back();
    std::vector<std::uint32_t>& nodes = view.link_nodes.emplace_back();
    for (const NodeId id : level.ids) {
      labels.push_back(state_.graph->label(id));
      nodes.push_back(graph::raw(id));
    }
  }
  return view;
}

Result<Index::NodeView> Reader::node(Label label) const {
  if (state_.gate.closed()) return state_.closed_status();
  const Moment moment(*state_.graph);
  const NodeId node = moment.stood(state_.labels.find(label));
  if (node != kNoNode) return view(moment, node);
  return Status::not_found(fmt::format("no label {} in index \"{}\"", label, state_.name));
}

Status Reader::for_each_node(const std::function<bool(const Index::NodeView&)>& visit) const {
  if (state_.gate.closed()) return state_.closed_status();
  const CallScope call;
  const std::uint64_t limit = state_.graph->node_limit();
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    std::optional<Index::NodeView> seen;
    {
      const Moment moment(*state_.graph);
      const NodeState state = state_.graph->state(node);
      const bool in_use = state != NodeState::kFree && state != NodeState::kPending;
      if (in_use && (state_.graph->flat() || state_.graph->linked(node))) {
        seen = view(moment, node);
      }
    }
    const CallbackScope scope(CallbackScope::Holds::kNothing);
    if (seen && !visit(*seen)) return {};
  }
  return {};
}

}  // namespace vicinal::engine
