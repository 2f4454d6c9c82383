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

/// Algorithm 2: leaves the `ef` nearest nodes met in scratch.pool. `start` seeds it.
void search_layer(const GraphState& g, const Topology& t, const Scorer& score, Neighbor start,
                  std::size_t ef, Level level, Scratch& scratch);

/// How much farther than the M-th nearest a candidate is that a node to be linked needs no more of:
/// a fifth of a squared distance.
inline constexpr float kFarFactor = 1.2f;

/// Algorithm 2 for a node to be linked: leaves the nearest ef_construction nodes met in
/// scratch.pool; `node` itself is never met. The nearer half of them was expanded, of the rest what
/// is no more than kFarFactor as far as the M-th nearest. Why: where distances spread (a low
/// intrinsic dimension), the farther half changes nothing about the links, at a third of the cost;
/// where they do not, it does, and is expanded. Under inner product, whose distances have no zero,
/// everything is.
void search_to_link(const GraphState& g, const Topology& t, const Scorer& score, Neighbor start,
                    Level level, NodeId node, Scratch& scratch);

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
