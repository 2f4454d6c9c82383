#include "graph/search_layer.h"

namespace vicinal::graph {

std::size_t expand(const Topology& t, const Scorer& score, NodeId node, Level level,
                   Scratch& scratch) {
  ++scratch.nodes_expanded;
  const BlockHeader* block = t.block(node, level);
  if (block == nullptr) return 0;
  scratch.ids.resize(kMaxLinks);
  scratch.distances.resize(kMaxLinks);
  std::uint32_t* const ids = scratch.ids.data();
  std::size_t n = 0;
  for (const NodeId neighbor : block->ids()) {
    ids[n] = raw(neighbor);
    n += scratch.visited.insert(raw(neighbor)) ? 1 : 0;
  }
  const NodeId next = scratch.pool.peek_next();
  if (level == 0 && next != kNoNode) t.prefetch_block(next);
  score(ids, n, scratch.distances.data());
  scratch.distances_computed += n;
  return n;
}

Neighbor descend(const GraphState& g, const Topology& t, const Scorer& score, Neighbor start,
                 Level from, Level to, Scratch& scratch) {
  Neighbor nearest = start;
  scratch.pool.reset(0);  // nothing to prefetch from
  for (Level level = from; level > to; --level) {
    scratch.visited.reset(g.next_slot.load(std::memory_order_acquire));
    scratch.visited.insert(raw(nearest.node));
    for (bool moved = true; moved;) {
      moved = false;
      const std::size_t n = expand(t, score, nearest.node, level, scratch);
      for (std::size_t i = 0; i < n; ++i) {
        const Neighbor found{scratch.distances[i], NodeId{scratch.ids[i]}};
        if (found < nearest) {
          nearest = found;
          moved = true;
        }
      }
    }
  }
  return nearest;
}

void search_layer(const GraphState& g, const Topology& t, const Scorer& score, Neighbor start,
                  std::size_t ef, Level level, NodeId exclude, Scratch& scratch) {
  scratch.visited.reset(g.next_slot.load(std::memory_order_acquire));
  scratch.pool.reset(ef);
  if (exclude != kNoNode) scratch.visited.insert(raw(exclude));
  if (scratch.visited.insert(raw(start.node))) scratch.pool.insert(start.distance, start.node);
  for (NodeId node = scratch.pool.take_next(); node != kNoNode; node = scratch.pool.take_next()) {
    const std::size_t n = expand(t, score, node, level, scratch);
    for (std::size_t i = 0; i < n; ++i) {
      const NodeId found{scratch.ids[i]};
      if (scratch.pool.insert(scratch.distances[i], found) && level == 0) t.prefetch_handle(found);
    }
  }
}

}  // namespace vicinal::graph
