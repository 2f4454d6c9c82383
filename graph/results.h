// Results: from candidates to hits. Exact distances, visibility, order.
//
// Threads: one Scratch, one thread; the caller is inside an epoch.
#pragma once

#include <cstdint>
#include <span>

#include "graph/graph.h"
#include "graph/graph_state.h"
#include "graph/scratch.h"

namespace vicinal::graph {

/// Nearest first, ties by label: the order of every answer.
inline bool nearer(const Found& a, const Found& b) {
  return a.distance != b.distance ? a.distance < b.distance : a.label < b.label;
}

/// Exact distances of `ids` from a prepared query, from memory or from request.rows; a row that is
/// gone is infinitely far.
void exact_distances_of(const GraphState& g, const SearchRequest& request, const float* prepared,
                        std::span<const std::uint32_t> ids, float* out, Scratch& scratch);

/// Of scratch.ids[0, count) with scratch.distances (exact), writes the k nearest visible ones that
/// the filter accepts to `out`. `overtaken` tells that one of them, or of scratch.hidden, has
/// changed since the visibility sequence was `began`: a label may then be missing (G10).
std::size_t write_results(const GraphState& g, const SearchRequest& request, std::size_t count,
                          std::uint64_t began, std::span<Found> out, bool& overtaken,
                          Scratch& scratch);

}  // namespace vicinal::graph
