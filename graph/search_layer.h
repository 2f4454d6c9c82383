// The greedy descent and the layer search: the only two walks there are.
//
// Threads: any number at once, beside writers; the caller is inside an epoch (its Scratch is
// borrowed).
#pragma once

#include <span>

#include "graph/graph_state.h"
#include "graph/scorer.h"
#include "graph/scratch.h"
#include "graph/topology.h"

namespace vicinal::graph {

/// From `start`, moves to the nearest neighbor as long as one is nearer, on every level from `from`
/// down to `to` + 1. (The paper's algorithm 2 with ef = 1.)
Neighbor descend(const GraphState& g, const Topology& t, const Scorer& score, Neighbor start,
                 Level from, Level to, Scratch& scratch);

/// Algorithm 2: leaves the `ef` nearest nodes met in scratch.pool. `start` seeds it; `exclude`
/// (kNoNode: nobody), which may be a node to be linked, is never met.
void search_layer(const GraphState& g, const Topology& t, const Scorer& score, Neighbor start,
                  std::size_t ef, Level level, NodeId exclude, Scratch& scratch);

/// The same where only some nodes count: leaves the `ef` nearest nodes for which `accept(node)` in
/// scratch.best. The walk goes through the others too, and is over when nothing nearer than the
/// worst of `ef` accepted ones is left, or after `max_expansions` nodes.
template <typename Accept>
void search_layer_accepting(const GraphState& g, const Topology& t, const Scorer& score,
                            Neighbor start, std::size_t ef, std::size_t max_expansions, Level level,
                            const Accept& accept, Scratch& scratch);

/// The most nodes of one step.
inline constexpr std::size_t kMaxStep = 4;

/// One step of either: scores the unvisited neighbors of `nodes` (at most kMaxStep) at `level` into
/// scratch.ids and scratch.distances; returns how many.
std::size_t expand(const Topology& t, const Scorer& score, std::span<const NodeId> nodes,
                   Level level, Scratch& scratch);

template <typename Accept>
void search_layer_accepting(const GraphState& g, const Topology& t, const Scorer& score,
                            Neighbor start, std::size_t ef, std::size_t max_expansions, Level level,
                            const Accept& accept, Scratch& scratch) {
  scratch.visited.reset(g.next_slot.load(std::memory_order_acquire));
  // What does not count is kept too, or the walk could not pass through it; beyond this the
  // farthest are dropped.
  scratch.pool.reset(ef * 16);
  scratch.best.reset(ef);
  scratch.visited.insert(raw(start.node));
  scratch.pool.insert(start.distance, start.node);
  if (accept(start.node)) scratch.best.insert(start.distance, start.node);
  for (std::size_t expanded = 0; expanded < max_expansions; ++expanded) {
    const std::size_t at = scratch.pool.next();
    if (at == scratch.pool.size()) break;
    if (scratch.best.full() && scratch.pool[at].distance > scratch.best.worst()) break;
    const NodeId next = scratch.pool.take_next();
    const std::size_t n = expand(t, score, std::span(&next, 1), level, scratch);
    for (std::size_t i = 0; i < n; ++i) {
      const float distance = scratch.distances[i];
      if (scratch.best.full() && distance > scratch.best.worst()) continue;
      const NodeId node{scratch.ids[i]};
      if (scratch.pool.insert(distance, node) && level == 0) t.prefetch_handle(node);
      if (accept(node)) scratch.best.insert(distance, node);
    }
  }
}

}  // namespace vicinal::graph
