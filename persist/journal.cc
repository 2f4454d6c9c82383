#include "persist/journal.h"

#include <fmt/format.h>

#include "persist/codec.h"

namespace vicinal::persist {

Status walk_journal(Transaction& transaction, const IndexRange& journal, const JournalVisit& visit,
                    Sequence from) {
  const std::uint32_t index = journal.index();
  Result<IndexRange::Walk> cursor = journal.walk(transaction);
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

Status read_entry(Transaction& transaction, const IndexRange& journal, const graph::RowShape& row,
                  Sequence sequence, JournalEntry* entry) {
  const Key64 key(sequence);
  const RecordId id{RecordKind::kJournal, journal.index(), key.bytes()};
  Bytes value;
  Result<bool> found = journal.get(transaction, key.bytes(), &value);
  if (!found) return found.status();
  if (!*found) return Status::corruption(describe(id) + " is missing");
  Result<Bytes> payload = unseal(id, value);
  if (!payload) return payload.status();
  Status status = decode(*payload, row, entry);
  return status.ok() ? status : Status::corruption(describe(id) + ": " + status.message());
}

Status put_entry(CountedRange& journal, Sequence sequence, RecordBuffer& record, PutMode mode) {
  const Key64 key(sequence);
  seal({RecordKind::kJournal, journal.index(), key.bytes()}, &record);
  return journal.put(key.bytes(), record, mode);
}

}  // namespace vicinal::persist
