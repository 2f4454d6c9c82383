// lookup(): stored vectors by label, from the records of an index that is not loaded.
//
// Ownership: what it answers is the caller's.
// Threads: any, beside writers; what the transaction shows is answered.
#pragma once

#include <span>
#include <vector>

#include "persist/stored_index.h"
#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::persist {

/// See Store::stored_vectors().
Result<StoredVectors> lookup(const StoredIndex& index, Transaction& transaction,
                             std::span<const Label> labels);

}  // namespace vicinal::persist
