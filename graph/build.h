// Build: many nodes are linked in rounds (build.cc says how, and why the outcome does not depend on
// the threads).
//
// Threads: beside readers and other writers.
#pragma once

#include <span>

#include "graph/callbacks.h"
#include "graph/graph_state.h"
#include "graph/topology.h"
#include "graph/types.h"

namespace vicinal::graph {

/// Links many in rounds; see Graph::link_batch. Into `fixed`, or, when it is null, into the present
/// topology and the one that a rebuild is about to swap in, if any.
bool link_nodes(GraphState& g, Topology* fixed, std::span<const NodeId> nodes, unsigned threads,
                const RoundCallback& linked, const StepCallback& step);

}  // namespace vicinal::graph
