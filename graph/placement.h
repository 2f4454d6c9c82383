// Placement: the order of a batch build, that is which of its slots each vector gets.
//
// What: an order of vectors in which those near each other stand near each other. A walk compares
// with some thousand nodes, most of them near each other, and translating the address of a row that
// lies on a page of its own can cost more than reading it. `vicinal-bench build --threads 2` over
// 1 M x 384 (mix), three builds each, Zen 5 guest: queries at ef 80 6,400, 7,200 and 12,000 a
// second with slots in the order of the rows, 10,300, 11,800 and 12,200 by nearness, the same
// graph. The slow ones are taken for times when the host backs the guest by 4 KiB pages, which a
// guest cannot see.
// Threads: of the caller's choice; the order does not depend on them.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/allocator.h"
#include "engine/base/worker_pool.h"
#include "graph/graph_state.h"

namespace vicinal::graph {

/// The indices of `nodes` in an order by nearness: a tree of at most 32 leaders a fork, each vector
/// with the leader nearest to it, siblings by nearness too. `nodes` have written what comparisons
/// need (norms, and codes or else vectors) and can be reached by nobody.
/// Cost: at most 256 distances a node, some 100 at a million. Throws std::bad_alloc.
internal::Vector<std::uint32_t> order_by_nearness(const GraphState& g,
                                                  std::span<const NodeId> nodes,
                                                  const internal::Workers& workers);

}  // namespace vicinal::graph
