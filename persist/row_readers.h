// The two RowReaders: rows inside the map, and rows copied out of the data file.
//
// What: each holds a snapshot from its making to its end. MapRowReader is for a few rows anywhere,
// and verifies a chunk where nobody did before it; ChunkCopier reads whole chunks with plain reads
// (value_reader.h), which is cheaper than faults where most rows of a chunk are wanted, leaves no
// pages of the file in the process, and verifies every one.
// Ownership: the environment and the marks of what was verified outlive them.
// Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "persist/chunk_room.h"
#include "persist/chunks.h"
#include "persist/lmdb_env.h"
#include "persist/row_reader.h"
#include "persist/value_reader.h"
#include "persist/verified_chunks.h"

namespace vicinal::persist {

/// A chunk's record inside the map; kCorruption when there is none.
Result<Bytes> find_chunk(Transaction& transaction, DatabaseHandle vectors, std::uint32_t chunk);
/// The rows of a chunk whose checksum is right, aligned, in `room`: read by `reader`, or copied
/// from the map while it knows none.
/// Errors: read_chunk()'s, the reader's; kCorruption when `value` is longer than a chunk can be.
Result<ChunkRows> copy_chunk(const ChunkLayout& layout, std::uint32_t chunk, Bytes value,
                             const ValueReader& reader, ChunkRoom& room);

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

class ChunkCopier final : public RowReader {
 public:
  ChunkCopier(const Environment& environment, ReadTransaction transaction, DatabaseHandle vectors,
              const ChunkLayout& layout, VerifiedChunks& verified)
      : transaction_(std::move(transaction)),
        vectors_(vectors),
        layout_(layout),
        verified_(verified),
        reader_(environment) {}
  const float* row(graph::NodeId node) override;
  Status why() const override { return why_; }

 private:
  ReadTransaction transaction_;
  const DatabaseHandle vectors_;
  const ChunkLayout layout_;
  VerifiedChunks& verified_;
  ValueReader reader_;
  ChunkRoom room_;
  std::int64_t chunk_ = -1;  ///< whose rows are in room_
  ChunkRows rows_;
  Status why_;  ///< the last row is not to be had
};

}  // namespace vicinal::persist
