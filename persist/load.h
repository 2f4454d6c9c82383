// load(): state, nodes with their rows (node_loader.h), links (link_loader.h), then the journal.
//
// Ownership: the visitor belongs to the caller.
// Threads: one, but for what LoadOptions::workers brings.
//
// Salvage sets damaged records aside for good: after a salvaging load of a writable store they are
// deleted, their nodes are free, and the store is sound again (set_aside.h). Damaged links are
// deleted after any load: their nodes are linked anew.
//
// A node that a journal entry frees later (doomed, R1) is never delivered: its row may already be
// that of the slot's next node. An upsert of such a node is delivered as the erasure of what it
// replaced, so a visitor sees a history in which doomed nodes never lived.
#pragma once

#include "persist/loading.h"
#include "persist/stored_index.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// See IndexRecords::load().
Result<LoadReport> load(StoredIndex& index, LoadVisitor& visitor, const LoadOptions& options);

}  // namespace vicinal::persist
