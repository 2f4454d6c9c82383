// The journal: operations since the last checkpoint, by sequence.
//
// Walking it, and finding the doomed: nodes that a later entry frees.
// Threads: functions over a transaction.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "persist/lmdb_env.h"
#include "persist/records.h"

namespace vicinal::persist {

/// For every entry in order: visit(sequence, payload, ok), or with the damage of an entry that does
/// not verify. A visit that fails ends the walk with its status. Entries before `from` are passed
/// over.
using JournalVisit = std::function<Status(Sequence sequence, Bytes payload, const Status& damage)>;
Status walk_journal(Transaction& transaction, DatabaseHandle journal, std::uint32_t index,
                    const JournalVisit& visit, Sequence from = 0);

/// The entry at `sequence`. kCorruption when it is damaged or absent.
Status read_entry(Transaction& transaction, DatabaseHandle journal, std::uint32_t index,
                  std::uint32_t dimension, Sequence sequence, JournalEntry* entry);

/// Seals and stores an entry. `index` is the numeric id; kAppend: it is the last.
Status put_entry(Transaction& transaction, DatabaseHandle journal, std::uint32_t index,
                 Sequence sequence, RecordBuffer& record, PutMode mode);

/// A free entry without nodes: links of several moments may stand side by side (FORMAT.md).
inline bool is_mark(const JournalEntry& entry) {
  return entry.kind == OperationKind::kFree && entry.nodes.empty();
}

/// The last kFree entry of every node that the journal frees.
class FreedNodes {
 public:
  /// Looks at what came since the last call, all at first. Damaged entries are passed over: whoever
  /// reads them reports them.
  Status survey(Transaction& transaction, DatabaseHandle journal, std::uint32_t index,
                std::uint32_t dimension);

  /// The node that held the slot at `sequence` (0: in the node records) is freed by a later entry.
  bool doomed(graph::NodeId node, Sequence sequence) const {
    if (last_.empty()) return false;
    const auto found = last_.find(graph::raw(node));
    return found != last_.end() && found->second > sequence;
  }

 private:
  std::unordered_map<std::uint32_t, Sequence> last_;
  Sequence next_ = 0;  ///< entries before it were looked at
};

}  // namespace vicinal::persist
