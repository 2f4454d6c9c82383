// Pinned: tombstones that are about to be resurrected and must not be condemned before.
//
// What: a resurrection is stored first and done then; in between nothing may come that makes it
// fail.
// Ownership: borrows the graph and the nodes.
// Threads: one's; under the labels' claims.
#pragma once

#include <cstddef>
#include <span>

#include "graph/graph.h"

namespace vicinal::engine {

class Pinned {
 public:
  /// Pins the nodes in their order, up to the first that is no tombstone any more.
  Pinned(graph::Graph& graph, std::span<const graph::NodeId> nodes) : graph_(graph), nodes_(nodes) {
    while (count_ < nodes_.size() && graph_.pin(nodes_[count_])) ++count_;
  }
  /// Those that were resurrected are not pinned any more.
  ~Pinned() {
    for (const graph::NodeId node : nodes_.first(count_)) graph_.unpin(node);
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;

  std::size_t count() const { return count_; }

 private:
  graph::Graph& graph_;
  const std::span<const graph::NodeId> nodes_;
  std::size_t count_ = 0;
};

}  // namespace vicinal::engine
