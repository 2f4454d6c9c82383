// Results: from candidates to hits. Exact distances, order.
//
// Threads: one Scratch, one thread; the caller is inside an epoch.
#pragma once

#include <cstdint>
#include <span>

#include "graph/found.h"
#include "graph/graph_state.h"
#include "graph/moment.h"
#include "graph/scratch.h"
#include "graph/search_request.h"

namespace vicinal::graph {

/// Nearest first, ties by label: the order of every answer.
inline bool nearer(const Found& a, const Found& b) {
  return a.distance != b.distance ? a.distance < b.distance : a.label < b.label;
}

/// Exact distances of `ids` from a prepared query, from memory or from request.rows; a row that is
/// gone is infinitely far.
void exact_distances_of(const GraphState& g, const SearchRequest& request, const float* prepared,
                        std::span<const std::uint32_t> ids, float* out, Scratch& scratch);

/// The share of the live nodes that the request accepts: told, sampled at the moment, or 1.
double accepted_share(const GraphState& g, const Moment& moment, const SearchRequest& request);

}  // namespace vicinal::graph
