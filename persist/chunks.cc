#include "persist/chunks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "engine/base/check.h"

namespace vicinal::persist {
namespace {

struct ChunkHeader {
  std::array<char, 4> magic = {'V', 'I', 'C', 'V'};
  std::uint16_t version = kRecordVersion;
  std::uint16_t zero = 0;
  std::uint32_t chunk = 0;
  std::uint32_t rows = 0;
  std::uint32_t dimension = 0;
  std::uint32_t storage = 0;
  std::uint64_t checksum = 0;
  std::array<std::uint64_t, 2> zeros = {};
};
static_assert(sizeof(ChunkHeader) == kChunkHeaderBytes);
static_assert(offsetof(ChunkHeader, checksum) == 24);

std::uint64_t chunk_checksum(const ChunkLayout& layout, std::uint32_t chunk, Bytes value) {
  const Key32 key(chunk);
  return record_checksum({RecordKind::kVectors, layout.index, key.bytes()}, value.first(24),
                         value.subspan(32));
}

Status damaged(const ChunkLayout& layout, std::uint32_t chunk, std::string_view why) {
  return Status::corruption(
      fmt::format("vectors chunk {} of index {}: {}", chunk, layout.index, why));
}

/// Writes header, kept rows and new rows into `value`, whose bytes are anything so far.
void fill_chunk(const ChunkLayout& layout, std::span<std::byte> value, Bytes kept,
                std::span<const RowToStore> rows, ChunkHeader header) {
  std::byte* const begin = value.data() + sizeof header;
  const std::uint64_t room = value.size() - sizeof header;
  // Rows mostly follow each other: only what they leave is cleared.
  const bool dense = kept.empty() && rows.size() == header.rows &&
                     std::adjacent_find(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
                       return a.slot >= b.slot;
                     }) == rows.end();
  if (!dense) {
    std::memset(begin, 0, room);
  } else {
    std::memset(begin + header.rows * layout.row_bytes(), 0,
                room - header.rows * layout.row_bytes());
  }
  if (!kept.empty()) std::memcpy(begin, kept.data(), kept.size());
  for (const RowToStore& r : rows) {
    std::memcpy(begin + r.slot * layout.row_bytes(), r.row, layout.row_bytes());
  }
  std::memcpy(value.data(), &header, sizeof header);
  header.checksum = chunk_checksum(layout, header.chunk, value);
  std::memcpy(value.data(), &header, sizeof header);
}

}  // namespace

Result<ChunkRows> read_chunk(const ChunkLayout& layout, std::uint32_t chunk, Bytes value,
                             bool verify) {
  ChunkHeader header;
  if (value.size() < sizeof header) {
    return damaged(layout, chunk, fmt::format("{} bytes", value.size()));
  }
  std::memcpy(&header, value.data(), sizeof header);
  if (verify && header.checksum != chunk_checksum(layout, chunk, value)) {
    return damaged(layout, chunk, "checksum does not match");
  }
  if (header.magic != ChunkHeader().magic) return damaged(layout, chunk, "no chunk header");
  if (header.version != kRecordVersion) {
    return Status::format_version(
        fmt::format("vectors chunk {} of index {}: version {}, this release reads {}", chunk,
                    layout.index, header.version, kRecordVersion));
  }
  if (header.chunk != chunk || header.dimension != layout.row.dimension ||
      header.storage != static_cast<std::uint32_t>(layout.row.storage) ||
      header.rows > layout.rows_per_chunk ||
      header.rows * layout.row_bytes() > value.size() - sizeof header) {
    return damaged(layout, chunk, "header disagrees with the index");
  }
  return ChunkRows{header.rows, value.data() + sizeof header};
}

Result<Bytes> find_chunk(Transaction& transaction, const IndexRange& vectors, std::uint32_t chunk) {
  const Key32 key(chunk);
  Bytes value;
  const Result<bool> found = vectors.get(transaction, key.bytes(), &value);
  if (!found) return found.status();
  if (!*found) return Status::corruption(fmt::format("vectors chunk {} is missing", chunk));
  return value;
}

const std::byte* row_of(const ChunkLayout& layout, const ChunkRows& rows, graph::NodeId node,
                        Status* why) {
  const std::uint32_t slot = layout.slot_of(node);
  if (slot < rows.count) return rows.begin + slot * layout.row_bytes();
  *why = Status::corruption(
      fmt::format("vectors chunk {} of index {} has {} rows, none for node {}",
                  layout.chunk_of(node), layout.index, rows.count, graph::raw(node)));
  return nullptr;
}

Status write_rows(Transaction& transaction, const IndexRange& vectors, const ChunkLayout& layout,
                  std::uint32_t chunk, std::span<const RowToStore> rows) {
  const Key32 key(chunk);
  Bytes stored;
  Result<bool> found = vectors.get(transaction, key.bytes(), &stored);
  if (!found) return found.status();
  ChunkRows old;
  if (*found) {
    Result<ChunkRows> opened = read_chunk(layout, chunk, stored, true);
    if (!opened) return opened.status();
    old = *opened;
  }
  ChunkHeader header;
  header.chunk = chunk;
  header.dimension = layout.row.dimension;
  header.storage = static_cast<std::uint32_t>(layout.row.storage);
  header.rows = old.count;
  for (const RowToStore& r : rows) {
    VICINAL_CHECK(r.slot < layout.rows_per_chunk);
    header.rows = std::max(header.rows, r.slot + 1);
  }
  const std::uint64_t used = sizeof header + header.rows * layout.row_bytes();
  const std::uint64_t size = std::max<std::uint64_t>(used, transaction.page_size());
  // The old rows lie in the map, which the next change may move: keep them first.
  std::vector<std::byte> kept;
  if (old.count != 0) {
    kept.assign(old.begin, old.begin + old.count * layout.row_bytes());
  }
  Result<std::span<std::byte>> room = vectors.reserve(transaction, key.bytes(), size);
  if (!room) return room.status();
  fill_chunk(layout, *room, kept, rows, header);
  return {};
}

}  // namespace vicinal::persist
