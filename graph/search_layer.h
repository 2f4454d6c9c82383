// The greedy descent and the layer search: the only two walks there are.
//
// Threads: any number at once, beside writers; the caller is inside an epoch (its Scratch is
// borrowed).
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "graph/graph_state.h"
#include "graph/scorer.h"
#include "graph/scratch.h"
#include "graph/topology.h"

namespace vicinal::graph {

/// Where a walk begins: a node, or the nearest few that a descent found, nearest first.
class Starts {
 public:
  static constexpr std::size_t kMost = 4;

  // NOLINTNEXTLINE(google-explicit-constructor): a node is where a walk may begin
  Starts(Neighbor only) : nodes_{only} {}
  /// The nearest of a pool that holds one at least.
  explicit Starts(const CandidatePool& pool) : count_(std::min(pool.size(), kMost)) {
    for (std::size_t i = 0; i < count_; ++i) nodes_[i] = pool[i];
  }

  const Neighbor* begin() const { return nodes_.data(); }
  const Neighbor* end() const { return nodes_.data() + count_; }
  const Neighbor& nearest() const { return nodes_[0]; }

 private:
  std::array<Neighbor, kMost> nodes_;
  std::size_t count_ = 1;
};

/// How many a search descends with, by the slots in use: one up to 131,071, one more with every
/// doubling, four from 524,288 on. The nearest of a sparse level often lies in a cluster beside the
/// right one, and a narrow beam at level 0 never finds out: of a million rows of 384 dimensions
/// (mix, three graphs), 32 queries in 3,000 found nothing right at ef 80, and 7 from four starts,
/// 121 and 30 at ef 40, for 1 to 2 us a query. Of 100,000 it was none either way.
std::size_t descent_breadth(std::uint64_t slots);

/// From `start`, goes down from level `from` to level `to` + 1; on each, expands the nearest
/// `breadth` nodes met until all of them were expanded, and goes on from those. With 1 that is the
/// paper's algorithm 2 with ef = 1. `breadth`: 1 to Starts::kMost.
Starts descend(const GraphState& g, const Topology& t, const Scorer& score, Neighbor start,
               Level from, Level to, std::size_t breadth, Scratch& scratch);

/// Algorithm 2: leaves the `ef` nearest nodes met in scratch.pool. `starts` seed it; `exclude`
/// (kNoNode: nobody), which may be a node to be linked, is never met.
void search_layer(const GraphState& g, const Topology& t, const Scorer& score, const Starts& starts,
                  std::size_t ef, Level level, NodeId exclude, Scratch& scratch);

/// The same where only some nodes count: leaves the `ef` nearest nodes for which `accept(node)` in
/// scratch.best. The walk goes through the others too, and is over when nothing nearer than the
/// worst of `ef` accepted ones is left, or after `max_expansions` nodes.
template <typename Accept>
void search_layer_accepting(const GraphState& g, const Topology& t, const Scorer& score,
                            const Starts& starts, std::size_t ef, std::size_t max_expansions,
                            Level level, const Accept& accept, Scratch& scratch);

/// The most nodes of one step.
inline constexpr std::size_t kMaxStep = 4;

/// One step of either: scores the unvisited neighbors of `nodes` (at most kMaxStep) at `level` into
/// scratch.ids and scratch.distances; returns how many.
std::size_t expand(const Topology& t, const Scorer& score, std::span<const NodeId> nodes,
                   Level level, Scratch& scratch);

template <typename Accept>
void search_layer_accepting(const GraphState& g, const Topology& t, const Scorer& score,
                            const Starts& starts, std::size_t ef, std::size_t max_expansions,
                            Level level, const Accept& accept, Scratch& scratch) {
  scratch.visited.reset(g.next_slot.load(std::memory_order_acquire));
  // What does not count is kept too, or the walk could not pass through it; beyond this the
  // farthest are dropped.
  scratch.pool.reset(ef * 16);
  scratch.best.reset(ef);
  for (const Neighbor& start : starts) {
    scratch.visited.insert(raw(start.node));
    scratch.pool.insert(start.distance, start.node);
    if (accept(start.node)) scratch.best.insert(start.distance, start.node);
  }
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
