#include "persist/map_row_reader.h"

namespace vicinal::persist {

const std::byte* MapRowReader::row(graph::NodeId node) {
  why_ = {};
  if (node == graph::kNoNode) return nullptr;
  const std::uint32_t chunk = layout_.chunk_of(node);
  Remembered& entry = remembered_[chunk % remembered_.size()];
  if (entry.chunk != chunk) {
    const Result<Bytes> value = find_chunk(*transaction_, vectors_, chunk);
    why_ = value.status();
    if (!value) return nullptr;
    const Result<ChunkRows> rows = read_chunk(layout_, chunk, *value, false);
    why_ = rows.status();
    if (!rows) return nullptr;
    entry = {chunk, *rows};
  }
  return row_of(layout_, entry.rows, node, &why_);
}

}  // namespace vicinal::persist
