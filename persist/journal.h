// The journal: operations since the last checkpoint, by sequence; its entries walked, read, stored.
//
// Ownership: payloads are the transaction's.
// Threads: functions over a transaction.
#pragma once

#include <cstdint>
#include <functional>

#include "persist/envelope.h"
#include "persist/lmdb_transaction.h"
#include "persist/operations.h"
#include "persist/range_tail.h"
#include "persist/records.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// For every entry in order: visit(sequence, payload, ok), or with the damage of an entry that does
/// not verify; one under a key that no entry has is number 0. A visit that fails ends the walk with its status. Entries before `from` are passed
/// over.
using JournalVisit = std::function<Status(Sequence sequence, Bytes payload, const Status& damage)>;
Status walk_journal(Transaction& transaction, const IndexRange& journal, const JournalVisit& visit,
                    Sequence from = 0);

/// The entry at `sequence`. kCorruption when it is damaged or absent.
Status read_entry(Transaction& transaction, const IndexRange& journal, const graph::RowShape& row,
                  Sequence sequence, JournalEntry* entry);

/// The last sequence in it; 0 when there is none. Keys that no entry has do not count.
Result<Sequence> last_sequence(Transaction& transaction, const IndexRange& journal);

/// Deletes what is stored under keys that no entry has.
Status remove_strays(Transaction& transaction, const IndexRange& journal);

/// Seals and stores an entry.
Status put_entry(CountedRange& journal, Sequence sequence, RecordBuffer& record, PutMode mode);

/// A free entry without nodes: links of several moments may stand side by side (FORMAT.md).
inline bool is_mark(const JournalEntry& entry) {
  return entry.kind == OperationKind::kFree && entry.nodes.empty();
}

}  // namespace vicinal::persist
