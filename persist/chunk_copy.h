// copy_chunk(): the verified rows of a chunk, out of the map.
//
// What: whole chunks are read with plain reads (value_reader.h), which is cheaper than faults where
// most of their rows are wanted, and leaves no pages of the file in the process.
// Ownership: the rows lie in the caller's room.
// Threads: any, each with a room of its own; the reader may be shared.
#pragma once

#include <cstdint>

#include "persist/chunk_room.h"
#include "persist/chunks.h"
#include "persist/value_reader.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// The rows of a chunk whose checksum is right, aligned, in `room`: read by `reader`, or copied
/// from the map while it knows none.
/// Errors: read_chunk()'s, the reader's; kCorruption when `value` is longer than a chunk can be.
Result<ChunkRows> copy_chunk(const ChunkLayout& layout, std::uint32_t chunk, Bytes value,
                             const ValueReader& reader, ChunkRoom& room);

}  // namespace vicinal::persist
