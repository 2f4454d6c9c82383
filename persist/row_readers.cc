#include "persist/row_readers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace vicinal::persist {
namespace {

const float* row_of(const ChunkLayout& layout, const ChunkRows& rows, graph::NodeId node,
                    Status* why) {
  const std::uint32_t slot = layout.slot_of(node);
  if (slot < rows.count) return rows.floats + std::size_t{slot} * layout.dimension;
  *why = Status::corruption(
      fmt::format("vectors chunk {} of index {} has {} rows, none for node {}",
                  layout.chunk_of(node), layout.index, rows.count, graph::raw(node)));
  return nullptr;
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
  why_ = {};
  if (node == graph::kNoNode) return nullptr;
  const std::uint32_t chunk = layout_.chunk_of(node);
  Remembered& entry = remembered_[chunk % remembered_.size()];
  if (entry.chunk != chunk) {
    const Result<Bytes> value = find_chunk(*transaction_, vectors_, chunk);
    why_ = value.status();
    if (!value) return nullptr;
    const bool verify = !verified_.contains(chunk);
    const Result<ChunkRows> rows = read_chunk(layout_, chunk, *value, verify);
    why_ = rows.status();
    if (!rows) return nullptr;
    if (verify) verified_.add(chunk);  // a line that all readers share is written once
    entry = {chunk, *rows};
  }
  return row_of(layout_, entry.rows, node, &why_);
}

const float* ChunkCopier::row(graph::NodeId node) {
  if (node == graph::kNoNode) return nullptr;
  const std::uint32_t chunk = layout_.chunk_of(node);
  if (chunk_ != chunk || !why_.ok()) {
    chunk_ = chunk;
    const Result<Bytes> value = find_chunk(*transaction_, vectors_, chunk);
    why_ = value.status();
    if (!value) return nullptr;
    if (!reader_.knows()) reader_.learn(*value);
    const Result<ChunkRows> rows = copy_chunk(layout_, chunk, *value, reader_, room_);
    why_ = rows.status();
    if (!rows) return nullptr;
    rows_ = *rows;
    verified_.add(chunk);
  }
  return row_of(layout_, rows_, node, &why_);
}

}  // namespace vicinal::persist
