#include "persist/freed_nodes.h"

#include <algorithm>

#include "persist/codec.h"
#include "persist/journal.h"

namespace vicinal::persist {

void FreedNodes::see(Sequence sequence, std::span<const graph::NodeId> freed) {
  next_ = std::max(next_, sequence + 1);
  for (const graph::NodeId node : freed) last_[graph::raw(node)] = sequence;
}

Status FreedNodes::survey(Transaction& transaction, const IndexRange& journal,
                          const graph::RowShape& row) {
  return walk_journal(
      transaction, journal,
      [&](Sequence sequence, Bytes payload, const Status& damage) -> Status {
        see(sequence, {});
        OperationKind kind{};
        if (!damage.ok() || !decode_kind(payload, &kind).ok()) return {};
        JournalEntry entry;
        if (kind != OperationKind::kFree || !decode(payload, row, &entry).ok()) return {};
        see(sequence, entry.nodes);
        return {};
      },
      next_);
}

}  // namespace vicinal::persist
