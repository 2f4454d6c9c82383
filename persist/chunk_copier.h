// ChunkCopier: rows copied out of the data file, chunk by chunk, for most rows of a chunk.
//
// What: verifies every chunk anew (chunk_copy.h).
// Ownership: holds a snapshot; the environment outlives it.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <utility>

#include "persist/chunk_room.h"
#include "persist/chunks.h"
#include "persist/lmdb_env.h"
#include "persist/row_reader.h"
#include "persist/value_reader.h"
#include "vicinal/status.h"

namespace vicinal::persist {

class ChunkCopier final : public RowReader {
 public:
  ChunkCopier(const Environment& environment, ReadTransaction transaction,
              const IndexRange& vectors, const ChunkLayout& layout)
      : transaction_(std::move(transaction)),
        vectors_(vectors),
        layout_(layout),
        reader_(environment) {}
  const std::byte* row(graph::NodeId node) override;
  Status why() const override { return why_; }

 private:
  ReadTransaction transaction_;
  const IndexRange vectors_;
  const ChunkLayout layout_;
  ValueReader reader_;
  ChunkRoom room_;
  std::int64_t chunk_ = -1;  ///< whose rows are in room_
  ChunkRows rows_;
  Status why_;  ///< the last row is not to be had
};

}  // namespace vicinal::persist
