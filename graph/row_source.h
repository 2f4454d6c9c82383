// RowSource: rows of nodes that the graph does not hold itself.
//
// Ownership: whoever opened a source; it gives out rows that are its own.
// Threads: each class says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "graph/types.h"
#include "vicinal/status.h"

namespace vicinal::graph {

/// Rows of nodes where Config::keep_vectors is false. One object serves one call at a time.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// RowShape::bytes(), valid until the next call or the object's end; nullptr when the node's
  /// slot was freed meanwhile, or the row cannot be read.
  virtual const std::byte* row(NodeId node) = 0;
  /// Why the last row() was nullptr; ok when it is not known.
  virtual Status why() const { return {}; }
  /// Row after row into `out`. Ends the validity of all rows given out before.
  virtual void rows(std::span<const std::uint32_t> ids, const std::byte** out) {
    for (std::size_t i = 0; i < ids.size(); ++i) out[i] = row(NodeId{ids[i]});
  }
  /// Ends the validity of all rows given out, and lets go of what it holds of a store.
  virtual void release() {}
};

}  // namespace vicinal::graph
