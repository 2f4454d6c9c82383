// Steps: nodes are shown, hidden, shown again. Each call is one moment for every reader (G10).
#include "graph/graph.h"
#include "graph/graph_state.h"
#include "graph/visibility.h"

namespace vicinal::graph {
namespace {

void count_live(GraphState& g, std::int32_t more) {
  g.live_count.fetch_add(more, std::memory_order_relaxed);
}
void count_tombstones(GraphState& g, std::int32_t more) {
  g.tombstone_count.fetch_add(more, std::memory_order_relaxed);
}

bool hide(GraphState& g, Visibility::Step& step, NodeId node) {
  if (node == kNoNode || g.state(node) != NodeState::kLive) return false;
  step.hide(node);
  g.set_state(node, NodeState::kTombstone);
  return true;
}

bool unhide(GraphState& g, Visibility::Step& step, NodeId node) {
  if (g.state(node) != NodeState::kTombstone) return false;
  step.unhide(node);
  g.set_state(node, NodeState::kLive);
  return true;
}

}  // namespace

void Graph::show(std::span<const NodeId> fresh) { show(fresh, {}); }

void Graph::show(std::span<const NodeId> fresh, std::span<const NodeId> resurrected) {
  GraphState& g = *state_;
  std::int32_t hidden = 0;
  std::int32_t lifted = 0;
  const WriteGate::Inside change(g.write_gate);
  Visibility::Step step(g.visibility);
  // Inside the step: no topology that was present when it began ends before it
  // (reclaim_topologies()).
  Topology& t = *g.topology.load(std::memory_order_acquire);
  const bool flat = g.flat.load(std::memory_order_acquire);  // then they are marked when linked
  for (const NodeId node : fresh) {
    step.show(node);
    g.set_state(node, NodeState::kLive);
    // A checkpoint may have passed it while it was pending, and written no links for it.
    if (!flat) t.mark_changed(node);
    hidden += hide(g, step, g.visibility.before(node)) ? 1 : 0;
  }
  for (const NodeId node : resurrected) lifted += unhide(g, step, node) ? 1 : 0;
  count_live(g, static_cast<std::int32_t>(fresh.size()) + lifted - hidden);
  count_tombstones(g, hidden - lifted);
}

std::size_t Graph::erase(std::span<const NodeId> nodes) {
  GraphState& g = *state_;
  std::size_t hidden = 0;
  const WriteGate::Inside change(g.write_gate);
  Visibility::Step step(g.visibility);
  for (const NodeId node : nodes) hidden += hide(g, step, node) ? 1 : 0;
  count_live(g, -static_cast<std::int32_t>(hidden));
  count_tombstones(g, static_cast<std::int32_t>(hidden));
  return hidden;
}

bool Graph::resurrect(NodeId node) {
  if (state(node) != NodeState::kTombstone) return false;
  show({}, std::span(&node, 1));
  return state(node) == NodeState::kLive;
}

bool Graph::pin(NodeId node) {
  GraphState& g = *state_;
  const Visibility::Step step(g.visibility);
  if (g.state(node) != NodeState::kTombstone) return false;
  g.visibility.pin(node);
  return true;
}

void Graph::unpin(NodeId node) noexcept {
  const Visibility::Step step(state_->visibility);
  state_->visibility.unpin(node);
}

}  // namespace vicinal::graph
