#include "persist/chunk_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace vicinal::persist {

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

}  // namespace vicinal::persist
