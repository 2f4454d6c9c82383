// The journal as text, for people and tools: `vicinal dump`.
//
// Ownership: the index outlives the call.
// Threads: any, beside writers.
#pragma once

#include <functional>
#include <string>

#include "persist/stored_index.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// visit() with every entry that is there when the call begins, in order, as one JSON object
/// without rows; until it returns false. No transaction is open meanwhile: it may write.
/// Errors: kCorruption, of the first damaged entry, after those before it.
Status for_each_journal_entry(StoredIndex& index,
                              const std::function<bool(const std::string&)>& visit);

}  // namespace vicinal::persist
