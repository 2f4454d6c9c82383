// SearchRequest: what a search or a scan is asked.
//
// Ownership: none; what it points to outlives the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "graph/moment.h"
#include "graph/row_source.h"
#include "graph/search_limit.h"
#include "graph/types.h"

namespace vicinal::graph {

/// A filter that can tell its labels: an alternative to asking `accept` about every node.
struct ListedNodes {
  std::uint64_t count = 0;  ///< labels to look up
  /// Appends the nodes that stood for them at the moment.
  std::function<void(const Moment& moment, std::vector<NodeId>& out)> append;
};

struct SearchRequest {
  const float* query = nullptr;  ///< `dimension` finite floats; nonzero under cosine
  std::size_t k = 10;
  std::size_t ef = 64;
  /// Labels that may be returned; null for all. May search and write.
  const std::function<bool(Label)>* accept = nullptr;
  /// The share of live nodes that `accept` is expected to pass, in [0, 1]; negative: unknown,
  /// sampled.
  double selectivity = -1;
  /// Null when the labels that `accept` passes cannot be told.
  const ListedNodes* listed = nullptr;
  /// Not null when Config::keep_vectors is false.
  RowSource* rows = nullptr;
  /// A node of level 0 that walks take for never linked (absent_node.h); scans meet it, and so do
  /// walks where it has copies.
  NodeId without = kNoNode;
  /// Null: it goes on to its end. What is found when it is reached is returned.
  SearchLimit* limit = nullptr;
};

}  // namespace vicinal::graph
