// Vectors chunks: the rows of consecutive nodes in one value, which may be read in place.
//
//   0  u32  'V' 'I' 'C' 'V'     16  u32  dimension
//   4  u16  version             20  u32  storage
//   6  u16  0                   24  u64  XXH3-64 over key, bytes 0..23 and bytes 32 to the end
//   8  u32  chunk               32  16 bytes of 0
//  12  u32  rows                48  rows, then 0 up to a page
//
// A value of at least a page lies on LMDB's overflow pages, 16 bytes into a page; so the rows
// begin at 64. Rows that no node uses are zeros or what a batch left that never counted.
//
// Ownership: rows are where they were read from.
// Threads: functions over a transaction.
#pragma once

#include <cstdint>
#include <span>

#include "persist/envelope.h"
#include "persist/index_range.h"

namespace vicinal::persist {

inline constexpr std::size_t kChunkHeaderBytes = 48;

/// Where a node's row lies.
struct ChunkLayout {
  std::uint32_t index = 0;  ///< numeric id, for checksums
  graph::RowShape row;
  std::uint32_t rows_per_chunk = 1;  ///< a power of two

  std::uint32_t chunk_of(graph::NodeId node) const { return graph::raw(node) / rows_per_chunk; }
  std::uint32_t slot_of(graph::NodeId node) const { return graph::raw(node) % rows_per_chunk; }
  std::uint64_t row_bytes() const { return row.bytes(); }
  std::uint64_t chunk_bytes() const { return kChunkHeaderBytes + rows_per_chunk * row_bytes(); }
};

/// Rows of a chunk, inside the value they were read from.
struct ChunkRows {
  std::uint32_t count = 0;
  const std::byte* begin = nullptr;
};

/// A chunk's record inside the map; kCorruption when there is none.
Result<Bytes> find_chunk(Transaction& transaction, const IndexRange& vectors, std::uint32_t chunk);

/// Checks the header of `value` against `layout`, and its checksum when `verify`.
Result<ChunkRows> read_chunk(const ChunkLayout& layout, std::uint32_t chunk, Bytes value,
                             bool verify);

/// The row of `node` among those of its chunk; nullptr, and why, when they are too few.
const std::byte* row_of(const ChunkLayout& layout, const ChunkRows& rows, graph::NodeId node,
                        Status* why);

/// A row on its way into a chunk.
struct RowToStore {
  std::uint32_t slot = 0;
  const std::byte* row = nullptr;
};

/// Stores `rows` (a later one of the same slot wins) in `chunk`, keeping the others. kCorruption
/// when the stored chunk is damaged: rewriting it would give damaged rows a fresh checksum.
Status write_rows(Transaction& transaction, const IndexRange& vectors, const ChunkLayout& layout,
                  std::uint32_t chunk, std::span<const RowToStore> rows);

}  // namespace vicinal::persist
