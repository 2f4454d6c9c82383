// FlatLinks: links of many nodes one after another, so that reading a million of them allocates
// nothing.
//
// Ownership: owns its lists.
// Threads: as a vector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "graph/types.h"

namespace vicinal::persist {

/// A node's lists follow those of the node before, level 0 first; so do the ids of a list.
struct FlatLinks {
  struct Node {
    graph::NodeId node = graph::kNoNode;
    std::uint32_t levels = 0;
  };
  struct List {
    graph::NodeId parent = graph::kNoNode;
    std::uint32_t child_count = 0;
    std::uint32_t count = 0;
  };
  std::vector<Node> nodes;
  std::vector<List> lists;
  std::vector<graph::NodeId> ids;

  /// An end to go back to.
  struct Mark {
    std::size_t nodes = 0;
    std::size_t lists = 0;
    std::size_t ids = 0;
  };
  Mark mark() const { return {nodes.size(), lists.size(), ids.size()}; }
  void cut_to(const Mark& end);

  /// Copies the links of each node to its place, by number, in `all`, behind what is there.
  void copy_to(std::span<graph::NodeLinks> all) const;
};

}  // namespace vicinal::persist
