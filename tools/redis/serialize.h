// A set as strings of bytes, as an RDB file, DUMP and COPY have it: encoding version 1.
//
// What: a head, the names, the index. All integers are little-endian.
//   head    one string of 48 bytes: "VICSET" and two zeros, u32 version 1, u32 0, u64 elements, u64 slots,
//           u64 attributes, u64 XXH3-64 (seed 0) of what is before it
//   names   strings of u64 XXH3-64 of the rest, then records until `slots` have come: u32 0 for a slot
//           that nobody has, else u32 bytes of the name + 1, u32 uses, u32 bytes of the attribute + 1 (0:
//           none), the name, the attribute. A record is in one string.
//   index   strings that together are what Index::save() writes (persist/FORMAT.md), links included, then
//           an empty string
// Strings take 16 MiB, or more where one record or one piece of the index does: small ones cost the server
// more than their bytes.
// Threads: the main thread, or the child of a fork.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "tools/redis/vector_set.h"
#include "vicinal/status.h"

namespace vicinal::redis {

inline constexpr int kEncodingVersion = 1;

/// Takes the next string. A Status that is not OK ends the saving.
using StringSink = std::function<Status(std::string_view)>;
/// The next string, valid until the next call. A Status ends the loading.
using StringSource = std::function<Result<std::string_view>()>;

/// Writes `set` as it stands (fork_guard.h).
/// Errors: of the sink; of save_still(). Throws std::bad_alloc.
Status save_set(const VectorSet& set, const StringSink& sink);

/// The set of what save_set() wrote. Whatever comes, no more memory is taken than what came needs.
/// `threads` link what comes without links, and place the rest; 0: one for each processor.
/// Errors: of the source; kCorruption, kFormatVersion. Throws std::bad_alloc, std::length_error.
Result<SetValue> load_set(const StringSource& source, unsigned threads);

}  // namespace vicinal::redis
