// MapRowReader: rows inside the map, for a few of them anywhere.
//
// What: verifies a chunk where nobody did before it, and remembers the chunks it met last.
// Ownership: holds a snapshot; the marks of what was verified outlive it.
// Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "persist/chunks.h"
#include "persist/lmdb_transaction.h"
#include "persist/row_reader.h"
#include "persist/verified_chunks.h"
#include "vicinal/status.h"

namespace vicinal::persist {

class MapRowReader final : public RowReader {
 public:
  MapRowReader(ReadTransaction transaction, DatabaseHandle vectors, const ChunkLayout& layout,
               VerifiedChunks& verified)
      : transaction_(std::move(transaction)),
        vectors_(vectors),
        layout_(layout),
        verified_(verified) {}
  const float* row(graph::NodeId node) override;
  Status why() const override { return why_; }

 private:
  struct Remembered {
    std::int64_t chunk = -1;
    ChunkRows rows;
  };

  ReadTransaction transaction_;
  const DatabaseHandle vectors_;
  const ChunkLayout layout_;
  VerifiedChunks& verified_;
  std::array<Remembered, 64> remembered_;
  Status why_;  ///< the last row is not to be had
};

}  // namespace vicinal::persist
