// Copies: nodes that are the same to every walk, because their codes (without codes their rows)
// are.
//
// What: the copies of a value hang together in the tree: a copy's parent is a copy where there is
// one, so that from any of them the others are found, and the first of them, which hangs from
// something else. That one is linked from elsewhere; the others take over its links, so that they
// lead on too, and nobody links back to them or hangs from them. A walk needs one of each value,
// and keeps the first where it met it (CandidatePool::merge_distinct).
// Threads: any number at once, inside an epoch; gather_copies() a Scratch each.
#pragma once

#include <functional>

#include "graph/graph_state.h"
#include "graph/row_source.h"
#include "graph/scratch.h"
#include "graph/topology.h"

namespace vicinal::graph {

/// Whether a walk cannot tell `a` from `b`.
bool same_value(const GraphState& g, NodeId a, NodeId b);

/// Whether the parent of `node` at `level` is a copy of it.
bool hangs_from_copy(const GraphState& g, const Topology& t, NodeId node, Level level);

/// The uppermost of the copies that `node` hangs from and that are not condemned; itself when there
/// is none.
NodeId first_of_copies(const GraphState& g, const Topology& t, NodeId node, Level level);

/// The same for nodes of one value, for others hardly ever.
std::uint64_t value_hash(const GraphState& g, NodeId node);

/// Fills scratch.ids with the nodes that a walk left in scratch.pool, nearest first, each followed
/// by those of its copies that count, `most` in all; of what is farther than `farthest` without
/// copies. Where rows of one value differ (`rows`: where the graph does not hold them), so many more of its
/// copies are there to be compared. False when it came through too many that do not count: a scan is cheaper.
bool gather_copies(const GraphState& g, RowSource* rows, std::size_t most, float farthest,
                   const std::function<bool(NodeId)>& counts, Scratch& scratch);

}  // namespace vicinal::graph
