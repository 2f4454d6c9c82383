// Copies: nodes that are the same to every walk, because their codes (without codes their rows)
// are.
//
// What: every copy has links of its own, so that any of them leads on; a walk needs one of each
// value, and keeps the one with the lowest id (CandidatePool::merge_distinct). Lists hold that one
// too, so that whoever links to the value later links to the same. The copies of a value hang
// together in the tree (a copy's parent is a copy where there is one), and by their links at
// distance 0: from one of them the others are found.
// Threads: any number at once, inside an epoch, a Scratch each.
#pragma once

#include <functional>

#include "graph/graph_state.h"
#include "graph/scratch.h"
#include "graph/topology.h"

namespace vicinal::graph {

/// Whether a walk cannot tell `a` from `b`.
bool same_value(const GraphState& g, NodeId a, NodeId b, Scratch& scratch);

/// The same for nodes of one value, for others hardly ever.
std::uint64_t value_hash(const GraphState& g, NodeId node, Scratch& scratch);

/// Fills scratch.ids with the nodes that a walk left in scratch.pool, nearest first, each followed
/// by those of its copies that count, `most` in all; of what is farther than `farthest` without
/// copies. False when it came through too many that do not count: a scan is cheaper.
bool gather_copies(const GraphState& g, const Topology& t, std::size_t most, float farthest,
                   const std::function<bool(NodeId)>& counts, Scratch& scratch);

}  // namespace vicinal::graph
