// Insert: algorithm 1 for one node, and the plan of it.
//
// Threads: every function beside readers and other writers, inside an epoch; each locks one stripe
// at a time.
#pragma once

#include <cstdint>

#include "engine/base/allocator.h"
#include "graph/forward_links.h"
#include "graph/graph_state.h"
#include "graph/scratch.h"
#include "graph/topology.h"
#include "graph/types.h"

namespace vicinal::graph {

/// The first half of algorithm 1 for a node that will be linked later: see Graph::plan_link().
struct LinkPlan {
  // Good as long as these are what they were when it was made.
  std::uint64_t topology = 0;  ///< its serial
  std::uint64_t condemnations = 0;
  std::uint64_t noted_before = 0;  ///< in recently_linked(): good while few came since
  EntryPoint entry;
  internal::Vector<ForwardLinks> forward;  ///< from level 0 on
};

/// Algorithm 1 for one node, which then meets those that were linked meanwhile. `t` may be a
/// topology that is being built. The `plan`, which may be null, is for the present topology; its
/// links are moved from.
void link_node(GraphState& g, Topology& t, NodeId node, LinkPlan* plan, Scratch& scratch);

}  // namespace vicinal::graph
