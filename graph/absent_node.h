// A walk that takes one node for never linked (SearchRequest::without): what a vector of the index,
// sought as if it were new, would find.
//
// What: the walk does not meet the node, and a list that names it has another link in its place: of
// the node's own links the one nearest to the list's owner, unless all that the list has are nearer.
// Why: leaving it out alone leaves a hole just where the query is. Of 40,000 x 384 (mix), k 10 and ef
// 19, queries of the same kind find 0.948, own vectors over a hole 0.904, over stand-ins 0.938; of
// 40,000 x 128 (gauss), where lists reach less far, ef 139: 0.629, 0.614, 0.660.
// Threads: as the walk's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "graph/graph_state.h"
#include "graph/scratch.h"
#include "graph/topology.h"

namespace vicinal::graph {

/// Of `owner`, whose list on level 0 is `block`: appends what stands in for scratch.absent to `ids`, n
/// of them until now and with room for one more, unless the list does not name it, or the walk has met
/// it; returns how many there are.
std::size_t append_stand_in(const GraphState& g, const Topology& t, NodeId owner,
                            const BlockHeader& block, std::uint32_t* ids, std::size_t n,
                            Scratch& scratch);

}  // namespace vicinal::graph
