// The envelope of every record that is not a vectors chunk: 16 bytes in front of the payload.
//
//   0  u8   kind (RecordKind)      4  u32  payload bytes
//   1  u8   0                      8  u64  XXH3-64 over key, bytes 0..7 and payload
//   2  u16  version
//
// Encoders write their payload behind kEnvelopeBytes of room, so sealing copies nothing.
//
// Ownership: an unsealed payload is part of the value it was found in.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <vector>

#include "persist/format.h"
#include "vicinal/status.h"

namespace vicinal::persist {

inline constexpr std::size_t kEnvelopeBytes = 16;

/// A record on its way to LMDB: kEnvelopeBytes of room, then the payload.
using RecordBuffer = std::vector<std::byte>;

/// XXH3-64 over `id` and the two parts.
std::uint64_t record_checksum(const RecordId& id, Bytes first, Bytes second);

/// Fills the envelope in front of the payload.
void seal(const RecordId& id, RecordBuffer* record, std::uint16_t version = kRecordVersion);

/// The payload of `value`.
/// Errors: kCorruption (too short, wrong kind, length or checksum); kFormatVersion (a sound record
/// of another version).
Result<Bytes> unseal(const RecordId& id, Bytes value);

/// "links record 17 of index 3", for messages.
std::string describe(const RecordId& id);

}  // namespace vicinal::persist
