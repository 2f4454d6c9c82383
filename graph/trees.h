// Trees: the parent links that span every level (G9), looked at and mended.
//
// Threads: the climbs and counts beside writers. mend_trees() before there is anybody else: of a
// node that is just being linked, parent and child do not agree yet.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "graph/graph_state.h"
#include "graph/topology.h"

namespace vicinal::graph {

/// The parent of `node` at `level`, kNoNode for a root or a node without links there.
NodeId parent_of(const Topology& t, NodeId node, Level level);

/// Whether the list of `parent` at `level` holds `child` as a child.
bool is_child(const Topology& t, NodeId parent, NodeId child, Level level);

/// The first ancestor of `node` at `level` that is not condemned, or kNoNode when the root is
/// condemned; then `last` is that root.
NodeId climb_to_healthy(const GraphState& g, const Topology& t, NodeId node, Level level,
                        NodeId& last);

/// Whether `node` stands at or below `ancestor` at `level`; true also when the climb finds no end
/// (a damaged tree).
bool hangs_below(const Topology& t, NodeId node, NodeId ancestor, Level level);

/// Marks of the nodes below `limit` that the tree of `level` spans from `root`: children whose own
/// lists agree.
std::vector<bool> spanned_by_tree(const GraphState& g, const Topology& t, NodeId root, Level level,
                                  std::uint64_t limit);

/// Whether some tombstone's parent does not hold it as a child: a repair pass was cut short, and
/// what it had condemned came back as a tombstone.
bool tombstones_hang_loose(const GraphState& g, const Topology& t);

/// Nodes that were linked and shown when the call began and that the tree of some level does not
/// span. No repair slice runs meanwhile, and nothing else moves a child.
std::uint64_t count_loose(const GraphState& g, const Topology& t);

/// Hangs every linked node that the tree of some level does not span into it, and makes ordinary
/// links of tree links that are untrue; returns how many nodes there were.
std::uint64_t mend_trees(GraphState& g, Topology& t);

}  // namespace vicinal::graph
