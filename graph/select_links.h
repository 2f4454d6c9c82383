// Choosing links: the diversity heuristic (the paper's algorithm 4, without keeping what it
// prunes).
//
// What: of candidates sorted by distance from a base node, keeps those to which no kept one is as
// near as the base. Candidates that are needed (tree links, G9) are kept whatever the heuristic
// says. Departure: "as near" instead of "nearer": equal vectors occlude each other, else a cluster
// of copies would fill its lists with itself.
// Why a kept one is compared with all that follow at once, in windows: one batched call instead of
// one per candidate, and no candidate is compared again once it is occluded.
// Threads: one at a time per Scratch.
#pragma once

#include <cstdint>

#include "engine/base/allocator.h"
#include "graph/graph_state.h"
#include "graph/scratch.h"

namespace vicinal::graph {

struct LinkCandidate {
  Neighbor neighbor;
  bool needed = false;
  bool settled = false;  ///< known to be occluded by none of the other settled ones
};

/// Keeps at most `limit` of `candidates` (nearest first, no id twice), needed ones always, in
/// place: afterwards the kept stand first, in order; returns how many. Two settled ones are not
/// compared again, which changes nothing but the cost.
std::size_t select_links(const GraphState& g, std::span<LinkCandidate> candidates,
                         std::size_t limit, Scratch& scratch);

}  // namespace vicinal::graph
