// BatchPlan: what a batch of upserts will do, row by row.
//
// What: `rows[i]`, `labels[i]`, `replaced[i]`, `fresh[i]` and `levels[i]` belong together, and so do
// the three of the resurrected. batch_write.h fills it in and carries it out.
// Ownership: borrows the rows of the call.
// Threads: one call's.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "graph/types.h"
#include "vicinal/options.h"
#include "vicinal/types.h"

namespace vicinal::engine {

struct BatchPlan {
  std::span<const std::byte> stored;  ///< the rows, as they are stored
  std::size_t row_bytes = 0;
  std::vector<std::size_t> winners;  ///< the last row of every label, in row order
  std::vector<Label> winner_labels;
  BatchResult result;

  std::vector<std::size_t> rows;  ///< to be inserted
  std::vector<Label> labels;
  std::vector<graph::NodeId> replaced;  ///< the label's node until now, or kNoNode
  std::vector<graph::NodeId> fresh;
  std::vector<graph::Level> levels;

  std::vector<std::size_t> resurrected_rows;
  std::vector<Label> resurrected_labels;
  std::vector<graph::NodeId> resurrected;

  std::span<const std::byte> row(std::size_t i) const {
    return stored.subspan(i * row_bytes, row_bytes);
  }
  /// Of all rows, whose labels are `row_labels`, the last of every label wins.
  void choose_winners(std::span<const Label> row_labels);
  void insert(std::size_t row_index, Label label, graph::NodeId old);
  /// The vector that repair has condemned: a new node, and to callers a resurrection.
  void insert_again(std::size_t row_index, Label label, graph::NodeId old);
  void resurrect(std::size_t row_index, Label label, graph::NodeId old);
  /// Those of `resurrected` from the `first`-th on cannot be any more: inserted afresh.
  void insert_condemned(std::size_t first);
};

}  // namespace vicinal::engine
