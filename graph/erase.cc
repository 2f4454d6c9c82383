// Visibility: which nodes searches may return.
#include <mutex>

#include "engine/check.h"
#include "graph/graph.h"
#include "graph/visibility.h"

namespace vicinal::graph {
namespace {

void show_locked(GraphState& g, NodeId fresh, NodeId replaced) {
  g.set_state(fresh, NodeState::kLive);
  g.live_count.fetch_add(1, std::memory_order_relaxed);
  if (replaced == kNoNode || g.state(replaced) != NodeState::kLive) return;
  g.note_hidden(replaced);
  g.set_state(replaced, NodeState::kTombstone);
  g.live_count.fetch_sub(1, std::memory_order_relaxed);
  g.tombstone_count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

void Graph::show(NodeId fresh, NodeId replaced) {
  const VisibilityStep step(*state_);
  show_locked(*state_, fresh, replaced);
}

void Graph::show_batch(std::span<const NodeId> fresh, std::span<const NodeId> replaced) {
  VICINAL_CHECK(fresh.size() == replaced.size());
  // Each pair changes as one step; the batch does not, lest searches wait for all of it.
  constexpr std::size_t kPairsPerStep = 64;
  for (std::size_t begin = 0; begin < fresh.size(); begin += kPairsPerStep) {
    const VisibilityStep step(*state_);
    for (std::size_t i = begin; i < std::min(begin + kPairsPerStep, fresh.size()); ++i) {
      show_locked(*state_, fresh[i], replaced[i]);
    }
  }
}

bool Graph::erase(NodeId node) {
  const VisibilityStep step(*state_);
  GraphState& g = *state_;
  if (g.state(node) != NodeState::kLive) return false;
  // No note_hidden(): an erasure has no successor that a walk could have missed.
  g.set_state(node, NodeState::kTombstone);
  g.live_count.fetch_sub(1, std::memory_order_relaxed);
  g.tombstone_count.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool Graph::resurrect(NodeId node) {
  const VisibilityStep step(*state_);
  GraphState& g = *state_;
  if (g.state(node) != NodeState::kTombstone) return false;
  g.set_state(node, NodeState::kLive);
  g.live_count.fetch_add(1, std::memory_order_relaxed);
  g.tombstone_count.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

}  // namespace vicinal::graph
