// Choosing links: the diversity heuristic (the paper's algorithm 4, without keeping what it
// prunes).
//
// What: of candidates sorted by distance from a base node, keeps those to which no kept one is as
// near as the base. Candidates that are needed (tree links, G9) are kept whatever the heuristic
// says. Departure: "as near" instead of "nearer": equal vectors occlude each other, else a cluster
// of copies would fill its lists with itself. Why a candidate is compared with the kept in groups
// of eight: most are refused by one of the nearest kept ones. Threads: one at a time per Scratch.
#pragma once

#include <cstdint>

#include "engine/allocator.h"
#include "graph/graph_state.h"
#include "graph/scratch.h"

namespace vicinal::graph {

struct LinkCandidate {
  Neighbor neighbor;
  bool needed = false;
};

/// Keeps at most `limit` of `candidates` (nearest first, no id twice), needed ones always, in
/// place: afterwards the kept stand first, in order; returns how many.
std::size_t select_links(const GraphState& g, std::span<LinkCandidate> candidates,
                         std::size_t limit, Scratch& scratch);

}  // namespace vicinal::graph
