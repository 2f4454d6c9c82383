// apply_entry(): what a journal entry says of its nodes, in their blocks. Rows and links are others'.
//
// Ownership: none.
// Threads: one, the checkpoint's, in a write transaction.
#pragma once

#include "persist/fixed_records.h"
#include "persist/freed_nodes.h"
#include "persist/node_blocks.h"
#include "persist/records.h"

namespace vicinal::persist {

/// `freed`: of the whole journal. `state` learns of greater nodes.
Status apply_entry(const FreedNodes& freed, Sequence sequence, const JournalEntry& entry,
                   NodeBlockEditor* nodes, StateRecord* state);

}  // namespace vicinal::persist
