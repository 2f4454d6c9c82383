// Placement: which of the slots of a batch each of its vectors gets.
//
// What: an order of vectors in which those near each other stand near each other. A walk compares
// with some thousand nodes, most of them near each other; in memory bound indexes translating an
// address costs more than reading what is there, so a walk is as fast as the pages that it touches
// are few. `vicinal-bench build --threads 2` over 1 M x 384 (mix), Zen 5: queries 1.5 to 1.8 times
// as fast and the build 1.28 times, against slots in the order of the rows.
// Threads: of the caller's choice; the order does not depend on them.
#pragma once

#include <cstdint>
#include <span>

#include "engine/allocator.h"
#include "graph/graph_state.h"

namespace vicinal::graph {

/// The indices of `nodes` in an order by nearness: a tree of at most 32 leaders a fork, each vector
/// with the leader nearest to it, siblings by nearness too. `nodes` have written what comparisons
/// need (norms, and codes or else vectors) and can be reached by nobody. Cost: at most 256
/// distances a node, some 100 at a million. Throws std::bad_alloc.
internal::Vector<std::uint32_t> order_by_nearness(const GraphState& g,
                                                  std::span<const NodeId> nodes, unsigned threads);

}  // namespace vicinal::graph
