#include "persist/journal.h"

#include <fmt/format.h>

#include <algorithm>

namespace vicinal::persist {

Status walk_journal(Transaction& transaction, DatabaseHandle journal, std::uint32_t index,
                    const JournalVisit& visit, Sequence from) {
  Result<Cursor> cursor = Cursor::open(transaction, journal);
  if (!cursor) return cursor.status();
  Result<bool> more = from == 0 ? cursor->first() : cursor->seek(Key64(from).bytes());
  for (; more.ok() && *more; more = cursor->next()) {
    Sequence sequence = 0;
    Status damage;
    Bytes payload;
    if (!parse_key(cursor->key(), &sequence)) {
      damage = Status::corruption(
          fmt::format("journal of index {} has a key of {} bytes", index, cursor->key().size()));
    } else {
      Result<Bytes> opened = unseal({RecordKind::kJournal, index, cursor->key()}, cursor->value());
      if (opened.ok()) payload = *opened;
      damage = opened.status();
    }
    if (Status status = visit(sequence, payload, damage); !status.ok()) return status;
  }
  return more.status();
}

Status put_entry(Transaction& transaction, DatabaseHandle journal, std::uint32_t index,
                 Sequence sequence, RecordBuffer& record, PutMode mode) {
  const Key64 key(sequence);
  seal({RecordKind::kJournal, index, key.bytes()}, &record);
  return transaction.put(journal, key.bytes(), record, mode);
}

Status freed_by(Bytes payload, std::uint32_t dimension, std::vector<graph::NodeId>* nodes,
                bool* mark) {
  OperationKind kind{};
  if (Status s = decode_kind(payload, &kind); !s.ok()) return s;
  if (kind != OperationKind::kFree) return {};
  JournalEntry entry;
  if (Status s = decode(payload, dimension, &entry); !s.ok()) return s;
  nodes->insert(nodes->end(), entry.nodes.begin(), entry.nodes.end());
  if (mark != nullptr) *mark = is_mark(entry);
  return {};
}

Status FreedNodes::survey(Transaction& transaction, DatabaseHandle journal, std::uint32_t index,
                          std::uint32_t dimension) {
  return walk_journal(
      transaction, journal, index,
      [&](Sequence sequence, Bytes payload, const Status& damage) -> Status {
        std::vector<graph::NodeId> nodes;
        next_ = std::max(next_, sequence + 1);
        if (!damage.ok() || !freed_by(payload, dimension, &nodes).ok()) return {};
        for (const graph::NodeId node : nodes) last_[graph::raw(node)] = sequence;
        return {};
      },
      next_);
}

}  // namespace vicinal::persist
