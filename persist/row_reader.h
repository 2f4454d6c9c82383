// RowReader: rows of an index out of its chunks, to be read for a short time.
//
// Ownership: a reader pins a snapshot of the store from its making to its end, and ends before its
// store does.
// Threads: one at a time.
#pragma once

#include <cstddef>

#include "graph/types.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// Access to rows in LMDB's map for the length of a call. Not for sharing between threads.
class RowReader {
 public:
  virtual ~RowReader() = default;
  /// The row of `node` inside the map, or nullptr when its chunk has none. Only for nodes whose
  /// rows are in chunks: delivered by load() before replay(), stored by append_batch(), or moved by
  /// checkpoint(); of another node it may be any row of its slot. Rows of a chunk follow each other
  /// without gaps from a 64-byte boundary. load() verified every chunk's checksum.
  virtual const std::byte* row(graph::NodeId node) = 0;
  /// Why the last row() was nullptr.
  virtual Status why() const = 0;
};

}  // namespace vicinal::persist
