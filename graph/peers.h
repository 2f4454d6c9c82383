// Peers: nodes that were linked at the same time, and so found each other by no search.
//
// What: a node is compared with those that were linked while its own search ran, and links to the
// ones that it would have chosen had it met them (recently_linked.h says who they are).
// Threads: every function beside readers and other writers, inside an epoch; each locks one stripe
// at a time.
#pragma once

#include <cstddef>
#include <span>

#include "engine/base/allocator.h"
#include "graph/candidates.h"
#include "graph/graph_state.h"
#include "graph/scratch.h"
#include "graph/topology.h"
#include "graph/types.h"

namespace vicinal::graph {

/// With as many whom a node may have missed it is compared; beyond, it searches anew.
inline constexpr std::size_t kFewOthers = 256;

/// Those of `others` that a node should have links to at level 0: its selection among them and
/// `links`, which are the outcome of a selection too. Takes out of `links` what they occlude, never
/// the first. No id twice in either.
void choose_peers(const GraphState& g, const Topology& t, NodeId node,
                  std::span<const NodeId> others, internal::Vector<Neighbor>& links,
                  internal::Vector<Neighbor>& peers, Scratch& scratch);

/// Links a node that is linked already to its peers among `others`, both ways, at level 0.
void link_to_peers(GraphState& g, Topology& t, NodeId node, std::span<const NodeId> others,
                   Scratch& scratch);

/// Looks for the links of a node that is linked already, and adds, on both sides, those it lacks.
void look_for_links_anew(GraphState& g, Topology& t, NodeId node, Scratch& scratch);

}  // namespace vicinal::graph
