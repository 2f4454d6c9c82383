// Rebuild: what those who link tell a rebuild that runs beside them.
//
// Threads: any.
#pragma once

#include <span>

#include "graph/graph_state.h"
#include "graph/types.h"

namespace vicinal::graph {

/// Tells a rebuild that runs, if one does, that `nodes` were linked in the present topology.
void note_linked(GraphState& g, std::span<const NodeId> nodes);

}  // namespace vicinal::graph
