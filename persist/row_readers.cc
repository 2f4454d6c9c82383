#include "persist/row_readers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace vicinal::persist {
namespace {

const float* row_of(const ChunkLayout& layout, const ChunkRows& rows, graph::NodeId node) {
  const std::uint32_t slot = layout.slot_of(node);
  return slot >= rows.count ? nullptr : rows.floats + std::size_t{slot} * layout.dimension;
}

}  // namespace

Result<Bytes> find_chunk(Transaction& transaction, DatabaseHandle vectors, std::uint32_t chunk) {
  const Key32 key(chunk);
  Bytes value;
  const Result<bool> found = transaction.get(vectors, key.bytes(), &value);
  if (!found) return found.status();
  if (!*found) return Status::corruption(fmt::format("vectors chunk {} is missing", chunk));
  return value;
}

Result<ChunkRows> copy_chunk(const ChunkLayout& layout, std::uint32_t chunk, Bytes value,
                             const ValueReader& reader, ChunkRoom& room) {
  const std::uint64_t most = std::max<std::uint64_t>(layout.chunk_bytes(), reader.page_size());
  if (value.size() > most) {
    return Status::corruption(fmt::format("vectors chunk {} of index {}: {} bytes, at most {}",
                                          chunk, layout.index, value.size(), most));
  }
  std::byte* const copy = room.make(value.size());
  const Result<bool> copied = reader.read(value, copy);
  if (!copied) return copied.status();
  if (!*copied) std::memcpy(copy, value.data(), value.size());
  return read_chunk(layout, chunk, Bytes(copy, value.size()), true);
}

const float* MapRowReader::row(graph::NodeId node) {
  if (node == graph::kNoNode) return nullptr;
  const std::uint32_t chunk = layout_.chunk_of(node);
  Remembered& entry = remembered_[chunk % remembered_.size()];
  if (entry.chunk != chunk) {
    entry = {chunk, {}};
    const Result<Bytes> value = find_chunk(*transaction_, vectors_, chunk);
    if (value) {
      // The checksum was verified when the index was loaded.
      const Result<ChunkRows> rows = read_chunk(layout_, chunk, *value, false);
      if (rows) entry.rows = *rows;
    }
  }
  return row_of(layout_, entry.rows, node);
}

const float* ChunkCopier::row(graph::NodeId node) {
  if (node == graph::kNoNode) return nullptr;
  const std::uint32_t chunk = layout_.chunk_of(node);
  if (chunk_ != chunk) {
    chunk_ = chunk;
    rows_ = {};
    const Result<Bytes> value = find_chunk(*transaction_, vectors_, chunk);
    why_ = value.status();
    if (!value) return nullptr;
    if (!reader_.knows()) reader_.learn(*value);
    const Result<ChunkRows> rows = copy_chunk(layout_, chunk, *value, reader_, room_);
    why_ = rows.status();
    if (rows) rows_ = *rows;
  }
  return row_of(layout_, rows_, node);
}

}  // namespace vicinal::persist
