// append_batch(): rows into chunks by bounded transactions, then the journal entry that makes the
// batch count. Rows lie in free slots (R1), so until that entry is committed nobody reads them.
//
// Ownership: what the batch shows belongs to the caller until the call returns.
// Threads: any.
#pragma once

#include "persist/operations.h"
#include "persist/stored_index.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// Stores `batch` and returns the sequence of its entry, unfinished in the ledger. The entry that
/// frees batch.freed follows in the same commit, finished.
/// Errors: kInvalidArgument, kReadOnly, kIoError, kFull, kCorruption of a chunk that rows go to:
/// the batch does not count.
Result<Sequence> append_batch(StoredIndex& index, const Batch& batch);

}  // namespace vicinal::persist
