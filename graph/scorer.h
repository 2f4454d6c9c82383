// Scorer: distances from one query to nodes by id, over codes, sketches or stored rows.
//
// What: the only place that knows how a metric turns into kernel calls. A query is either a vector
// from outside or a node of the graph.
// Ownership: borrows buffers of a Scratch; two scorers alive on one Scratch must use different
// Sides.
// Threads: one at a time. The rows behind the ids must be reachable by the rules of graph.h (G4).
#pragma once

#include <cstdint>
#include <span>

#include "graph/graph_state.h"
#include "graph/scratch.h"
#include "kernels/prefetch.h"

namespace vicinal::graph {

class Scorer {
 public:
  /// Whose buffers a node's scorer may use: the query's own, or those of a second one beside it.
  enum class Side : std::uint8_t { kMain, kSecond };

  /// For a vector from outside; normalizes (cosine), rotates and encodes it into `scratch`.
  static Scorer for_query(const GraphState& g, const float* query, Scratch& scratch);
  /// For a node: its code is its query.
  static Scorer for_node(const GraphState& g, NodeId node, Side side, Scratch& scratch);
  /// The one that a walk goes by: over sketches where the graph has them, else the same. Of a scorer
  /// for codes that uses the query's own buffers.
  Scorer for_walk(Scratch& scratch) const;
  bool over_sketches() const { return over_sketches_; }

  /// Asks for the row of `node` from memory, for a call that follows soon; worth it for the first
  /// rows_ahead() rows of that call, which the second-level cache holds at once.
  void prefetch(NodeId node) const { kernels::prefetch_row(rows_.row(raw(node)), rows_.stride); }
  std::size_t rows_ahead() const { return rows_ahead_; }
  /// Of each row that it reads.
  std::size_t row_bytes() const { return rows_.stride; }
  const GraphState& graph() const { return g_; }
  /// out[i] = distance to ids[i].
  void operator()(const std::uint32_t* ids, std::size_t count, float* out,
                  kernels::Rows rows = kernels::Rows::kScattered) const;
  /// How far an exact distance may lie from `distance`, which this said of `node`.
  float error(NodeId node, float distance) const;
  /// The query as exact_distances() takes it; only of a scorer made by for_query().
  const float* prepared() const { return query_; }
  float operator()(NodeId node) const {
    const std::uint32_t id = raw(node);
    float distance = 0;
    (*this)(&id, 1, &distance);
    return distance;
  }

 private:
  /// Where rows are codes, which are not rotated: the code of the rotated query.
  kernels::CodeQuery rotated_code(Scratch& scratch) const;
  Scorer(const GraphState& g, const kernels::RowTable& rows);

  const GraphState& g_;
  const kernels::RowTable rows_;
  const std::size_t rows_ahead_;
  NodeId node_ = kNoNode;  ///< that is the query
  bool over_sketches_ = false;
  kernels::CodeQuery code_{};
  const float* query_ = nullptr;
};

/// The query as exact distances want it: normalized under cosine (into scratch.query), itself
/// otherwise.
const float* prepare_exact_query(const GraphState& g, const float* query, Scratch& scratch);

/// Exact distances (G19) from a prepared query to rows kept in memory.
void exact_distances(const GraphState& g, const float* prepared, const std::uint32_t* ids,
                     std::size_t count, float* out, kernels::Rows rows = kernels::Rows::kScattered);
/// The same for rows that live elsewhere: rows[i] belongs to ids[i].
void exact_distances_of_rows(const GraphState& g, const float* prepared, const std::uint32_t* ids,
                             const std::byte* const* rows, std::size_t count, float* out);

}  // namespace vicinal::graph
