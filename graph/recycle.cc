// Recycling: what nothing links to any more is handed out, and its slots become free.
#include <algorithm>

#include "engine/base/mutex.h"
#include "graph/flat.h"
#include "graph/graph.h"
#include "graph/graph_state.h"

namespace vicinal::graph {

std::vector<NodeId> Graph::take_unlinked(std::size_t max) {
  GraphState& g = *state_;
  const internal::MutexLock lock(g.slots_mutex);
  const std::size_t n = std::min(max, g.unlinked_slots.size());
  std::vector<NodeId> nodes(g.unlinked_slots.end() - static_cast<std::ptrdiff_t>(n),
                            g.unlinked_slots.end());
  g.unlinked_slots.erase(g.unlinked_slots.end() - static_cast<std::ptrdiff_t>(n),
                         g.unlinked_slots.end());
  return nodes;
}

bool Graph::reclaim_topologies() {
  const bool released = release_condemned(*state_);
  return state_->reclaim_topologies() && released;
}

void Graph::recycle(std::span<const NodeId> nodes) {
  if (nodes.empty()) return;
  GraphState& g = *state_;
  const WriteGate::Inside change(g.write_gate);
  for (const NodeId node : nodes) g.backlog.leave(node);
  const internal::MutexLock lock(g.slots_mutex);
  g.leave_slots(nodes);
  g.tombstone_count.fetch_sub(static_cast<std::int32_t>(nodes.size()));
}

}  // namespace vicinal::graph
