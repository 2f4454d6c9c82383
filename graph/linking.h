// Linking: how a node that has links of its own comes into the lists of others, and into the trees.
//
// What: the back-links of algorithm 1 and the parent links of G9. Shared by link(), link_batch(),
// rebuild(), repair() and whoever mends.
// Threads: every function beside readers and other writers, inside an epoch; each locks one stripe
// at a time.
#pragma once

#include <cstdint>
#include <span>

#include "graph/graph_state.h"
#include "graph/scratch.h"
#include "graph/topology.h"

namespace vicinal::graph {

/// A node that wants to be linked from a target.
struct Incoming {
  Neighbor from;              ///< the node and its distance from the target
  bool wants_parent = false;  ///< asks the target to be its parent
  bool adopted = false;       ///< the answer
};

/// How far a target goes to adopt a child.
enum class Adoption : std::uint8_t {
  kUsual,      ///< up to max_children(level); beyond, an ordinary link
  kCopy,       ///< a copy (copies.h), up to two of them; beyond, no link
  kLastResort  ///< as long as the list holds anything that is no tree link
};

/// Adds links from `target` to each of `incoming` (nearest first), under the target's stripe: the
/// back-links of algorithm 1. A condemned target takes none.
void add_links(GraphState& g, Topology& t, NodeId target, Level level, std::span<Incoming> incoming,
               Adoption adoption, Scratch& scratch);

/// The back-links of what was added to the list of `node`: a link to it from each of `targets`.
void link_from(GraphState& g, Topology& t, std::span<const Neighbor> targets, NodeId node,
               Level level, Scratch& scratch);

/// Adds what `node` lacks of `wanted` to its list, as far as it is kept, and the links back.
void add_links_both_ways(GraphState& g, Topology& t, NodeId node, Level level,
                         std::span<const Neighbor> wanted, Scratch& scratch);

/// Writes `parent` into the child's own list. The parent has adopted the child before.
void set_parent(GraphState& g, Topology& t, NodeId child, Level level, const Neighbor& parent,
                Scratch& scratch);

/// The child of `from` nearest to `node` that is not condemned; its node is kNoNode when there is
/// none. Children that have moved on do not count: following them could lead in a circle; nor do
/// copies of `from` (copies.h), unless `node` is one.
Neighbor nearest_child(const GraphState& g, const Topology& t, NodeId node, NodeId from,
                       Level level, Scratch& scratch);

/// Finds a parent for `child` that is linked at `level` and publishes both sides: asks the copies
/// (copies.h) that `near` begins with and the copies below them, all of `near`, then walks down the
/// tree from them. False when every one of them is condemned or full of tree links, and the walks
/// end at such.
bool find_parent(GraphState& g, Topology& t, NodeId child, Level level,
                 std::span<const Neighbor> near, Scratch& scratch);

}  // namespace vicinal::graph
