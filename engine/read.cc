// Reading without searching: get, contains, walks over labels and nodes.
#include <fmt/format.h>

#include "engine/check.h"
#include "engine/index_core.h"

namespace vicinal::engine {

using graph::Graph;
using graph::kNoNode;
using graph::NodeId;
using graph::NodeState;

Result<std::vector<float>> IndexCore::get(Label label) const {
  const Gate::Pass pass(gate_);
  if (!pass) return closed_status();
  // Before the look: the slot found cannot be reused while it is read.
  const Graph::ReadGuard guard(*graph_);
  const NodeId node = labels_.find(label);
  if (live(node)) {
    const std::unique_ptr<StoredRows> source = rows(StoredRows::Reading::kVerified);
    const float* const stored = row(node, source.get());
    if (stored != nullptr) return std::vector<float>(stored, stored + options_.dimension);
    if (live(node)) return unreadable(label, *source);
  }
  return Status::not_found(fmt::format("no label {} in index \"{}\"", label, name_));
}

Status IndexCore::unreadable(Label label, const StoredRows& rows) const {
  const Status why = rows.why();
  return Status(why.ok() ? StatusCode::kIoError : why.code(),
                fmt::format("the vector of label {} in index \"{}\" cannot be read{}{}", label,
                            name_, why.ok() ? "" : ": ", why.message()));
}

bool IndexCore::contains(Label label) const {
  if (gate_.closed()) return false;
  const Graph::ReadGuard guard(*graph_);
  return live(labels_.find(label));
}

Status IndexCore::for_each(const std::function<bool(Label, std::span<const float>)>& visit) const {
  const Gate::Pass pass(gate_);
  if (!pass) return closed_status();
  const std::uint64_t limit = graph_->node_limit();
  // Runs are copied out: `visit` may write, and a repair that its write does waits for readers.
  constexpr std::uint64_t kRun = 256;
  std::vector<Label> labels;
  std::vector<float> vectors;
  for (std::uint64_t first = 0; first < limit; first += kRun) {
    labels.clear();
    vectors.clear();
    VICINAL_RETURN_IF_ERROR(copy_live_rows(first, std::min(limit, first + kRun), labels, vectors));
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (!visit(labels[i],
                 std::span(vectors).subspan(i * options_.dimension, options_.dimension))) {
        return {};
      }
    }
  }
  return {};
}

Status IndexCore::copy_live_rows(std::uint64_t first, std::uint64_t last,
                                 std::vector<Label>& labels, std::vector<float>& vectors) const {
  const Graph::ReadGuard guard(*graph_);
  const std::unique_ptr<StoredRows> source = rows(StoredRows::Reading::kVerified);
  for (std::uint64_t i = first; i < last; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (!live(node)) continue;
    const Label label = graph_->label(node);
    const float* const stored = row(node, source.get());
    if (stored == nullptr) {
      if (live(node)) return unreadable(label, *source);
      continue;
    }
    labels.push_back(label);
    vectors.insert(vectors.end(), stored, stored + options_.dimension);
  }
  return {};
}

Index::NodeView IndexCore::view(NodeId node) const {
  Index::NodeView view;
  view.label = graph_->label(node);
  view.node = graph::raw(node);
  view.level = graph_->level(node);
  view.live = live(node);
  for (const graph::LevelLinks& level : graph_->links(node)) {
    std::vector<Label>& labels = view.links.emplace_back();
    std::vector<std::uint32_t>& nodes = view.link_nodes.emplace_back();
    for (const NodeId id : level.ids) {
      labels.push_back(graph_->label(id));
      nodes.push_back(graph::raw(id));
    }
  }
  return view;
}

Result<Index::NodeView> IndexCore::node(Label label) const {
  if (gate_.closed()) return closed_status();
  const Graph::ReadGuard guard(*graph_);
  const NodeId node = labels_.find(label);
  if (live(node)) return view(node);
  return Status::not_found(fmt::format("no label {} in index \"{}\"", label, name_));
}

Status IndexCore::for_each_node(const std::function<bool(const Index::NodeView&)>& visit) const {
  if (gate_.closed()) return closed_status();
  const std::uint64_t limit = graph_->node_limit();
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    std::optional<Index::NodeView> seen;
    {
      const Graph::ReadGuard guard(*graph_);
      const NodeState state = graph_->state(node);
      if (state != NodeState::kFree && state != NodeState::kPending && graph_->linked(node)) {
        seen = view(node);
      }
    }
    if (seen && !visit(*seen)) return {};
  }
  return {};
}

}  // namespace vicinal::engine
