// Choosing links: the diversity heuristic (the paper's algorithm 4, without keeping what it
// prunes).
//
// What: of candidates sorted by distance from a base node, keeps those to which no kept one is nearer
// than the base. Candidates that are needed (tree links, G9) are kept whatever the heuristic
// says. ("As near" would leave sparse vectors of zeros and ones, most of which are equally far from each
// other, lists of four.) Departure: copies (copies.h) occlude each other whatever
// the metric: they would fill a list. A copy of the base occludes nothing but copies: it is as near
// to everything as the base, and lists that held one would lose all else. (The same for what is
// nearly a copy, by up to a twentieth of the way, made it worse: 2,000 values x 10 of 100 dimensions
// that differ by 0.05 in one, 15 not found by themselves, 2 without.)
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

/// Keeps at most `limit` of `candidates` for `base` (nearest first, no id twice), needed ones always, in
/// place: afterwards the kept stand first, in order; returns how many. Two settled ones are not
/// compared again, which changes nothing but the cost.
std::size_t select_links(const GraphState& g, NodeId base, std::span<LinkCandidate> candidates,
                         std::size_t limit, Scratch& scratch);

}  // namespace vicinal::graph
