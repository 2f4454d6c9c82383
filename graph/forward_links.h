// Forward links: which nodes a node should link to, found by the walk of algorithm 1, and its own
// lists of them.
//
// Threads: every function beside readers and other writers, inside an epoch. Only
// publish_forward_links() and note_crowded() change anything.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/allocator.h"
#include "graph/candidates.h"
#include "graph/graph_state.h"
#include "graph/scratch.h"
#include "graph/topology.h"
#include "graph/types.h"

namespace vicinal::graph {

/// Whether new nodes link to `node`. What dies while a topology is built that has it may be
/// resurrected: were it left out of its neighbors' lists, it would hardly be met again.
inline bool linkable(const GraphState& g, const Topology& t, NodeId node) {
  const NodeState s = g.state(node);
  if (s == NodeState::kTombstone) return g.topology.load(std::memory_order_relaxed) != &t;
  return s == NodeState::kLive || s == NodeState::kPending;
}

/// What a search found for one level of a new node.
struct ForwardLinks {
  Level level = 0;
  /// A copy (copies.h), if any, then nearest first, then tombstones, if any; the first is the
  /// parent that is hoped for.
  internal::Vector<Neighbor> links;
  bool copy = false;     ///< the first is a copy, whose links the others are: none needs one back
  bool crowded = false;  ///< tombstones stood where its links should go: see note_crowded()
};

/// The way down to the highest level at which a node is to be linked.
struct Approach {
  EntryPoint entry;
  Level level = 0;         ///< min(the node's, the entry point's)
  NodeId start = kNoNode;  ///< the nearest met above it: where the search at `level` begins
  /// The nearest at levels 3, 2 and 1, as far as they lie above `level`. Nodes that agree in them
  /// are near each other.
  std::array<NodeId, 3> passed = {kNoNode, kNoNode, kNoNode};
};
Approach approach(const GraphState& g, const Topology& t, NodeId node, EntryPoint entry,
                  Scratch& scratch);

/// Algorithm 1, first half, without a change to anything: for each level from `low` to the
/// approach's the links that the node should have, level low first.
void find_forward_links(const GraphState& g, const Topology& t, NodeId node,
                        const Approach& approach, Level low, Scratch& scratch,
                        internal::Vector<ForwardLinks>& out);

/// Publishes the node's own list with the hoped-for parent; the node is not reachable at that level
/// yet.
void publish_forward_links(GraphState& g, Topology& t, NodeId node, const ForwardLinks& links,
                           Scratch& scratch);

/// Has the node's links looked for anew by the repair that unlinks the tombstones around it.
void note_crowded(GraphState& g, NodeId node);

}  // namespace vicinal::graph
