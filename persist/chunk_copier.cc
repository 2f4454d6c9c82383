#include "persist/chunk_copier.h"

#include "persist/chunk_copy.h"

namespace vicinal::persist {

const std::byte* ChunkCopier::row(graph::NodeId node) {
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
  }
  return row_of(layout_, rows_, node, &why_);
}

}  // namespace vicinal::persist
