// Relinking: what a repair pass does to the lists of one node that stays (repair.cc).
//
// Threads: maintenance alone, beside readers and writers, inside an epoch and among the linkers.
#pragma once

#include "graph/graph_state.h"
#include "graph/scratch.h"
#include "graph/topology.h"
#include "graph/types.h"

namespace vicinal::graph {

/// Hangs `node` on each level on which its parent is condemned below one that is not, attached
/// there before it is detached from the old one (G9).
void reparent(GraphState& g, Topology& t, NodeId node, Scratch& scratch)
    VICINAL_REQUIRES(g.maintenance_mutex);

/// Makes each list of `node` that holds condemned links anew, from its healthy ones and those that
/// the condemned lead to; false when there was none. Where these are too few the node is noted in
/// repair_pass.underfull.
bool relink(GraphState& g, Topology& t, NodeId node, Scratch& scratch)
    VICINAL_REQUIRES(g.maintenance_mutex);

}  // namespace vicinal::graph
