// summarize(): the numbers of an index, from its records: nothing of its size is held but a byte a
// node.
//
// Ownership: none.
// Threads: any, beside writers; what the transaction shows is told.
#pragma once

#include "persist/stored_index.h"
#include "vicinal/status.h"
#include "vicinal/stored_stats.h"

namespace vicinal::persist {

/// See Store::stored_stats().
Result<StoredStats> summarize(const StoredIndex& index, Transaction& transaction);

}  // namespace vicinal::persist
