// MapRowReader: rows inside the map, for a few of them anywhere.
//
// What: believes the chunks, which load() verified, and remembers those it met last.
// Ownership: holds a snapshot.
// Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "persist/chunks.h"
#include "persist/lmdb_transaction.h"
#include "persist/row_reader.h"
#include "vicinal/status.h"

namespace vicinal::persist {

class MapRowReader final : public RowReader {
 public:
  MapRowReader(ReadTransaction transaction, const IndexRange& vectors, const ChunkLayout& layout)
      : transaction_(std::move(transaction)), vectors_(vectors), layout_(layout) {}
  const std::byte* row(graph::NodeId node) override;
  Status why() const override { return why_; }

 private:
  struct Remembered {
    std::int64_t chunk = -1;
    ChunkRows rows;
  };

  ReadTransaction transaction_;
  const IndexRange vectors_;
  const ChunkLayout layout_;
  std::array<Remembered, 64> remembered_;
  Status why_;  ///< the last row is not to be had
};

}  // namespace vicinal::persist
