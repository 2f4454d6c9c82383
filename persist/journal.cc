#include "persist/journal.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "persist/codec.h"

namespace vicinal::persist {
namespace {

/// The number that a key says; 0 when no entry has such a key.
Sequence sequence_of(Bytes key) {
  Sequence sequence = 0;
  return parse_key(key, &sequence) && sequence <= kMostSequence ? sequence : 0;
}

}  // namespace

Status walk_journal(Transaction& transaction, const IndexRange& journal, const JournalVisit& visit,
                    Sequence from) {
  const std::uint32_t index = journal.index();
  Result<IndexRange::Walk> cursor = journal.walk(transaction);
  if (!cursor) return cursor.status();
  Result<bool> more = from == 0 ? cursor->first() : cursor->seek(Key64(from).bytes());
  for (; more.ok() && *more; more = cursor->next()) {
    const Sequence sequence = sequence_of(cursor->key());
    Status damage;
    Bytes payload;
    if (sequence == 0) {
      damage = Status::corruption(fmt::format("journal of index {} has the key {:02x} of {} bytes",
                                              index, fmt::join(cursor->key(), ""),
                                              cursor->key().size()));
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

Result<Sequence> last_sequence(Transaction& transaction, const IndexRange& journal) {
  Bytes key;
  const Result<bool> any = journal.last_key(transaction, &key);
  if (!any) return any.status();
  if (!*any) return Sequence{0};
  Sequence last = sequence_of(key);
  if (last != 0) return last;
  Result<IndexRange::Walk> cursor = journal.walk(transaction);
  if (!cursor) return cursor.status();
  Result<bool> more = cursor->first();
  for (; more.ok() && *more; more = cursor->next()) {
    last = std::max(last, sequence_of(cursor->key()));
  }
  if (!more) return more.status();
  return last;
}

Status remove_strays(Transaction& transaction, const IndexRange& journal) {
  std::vector<std::vector<std::byte>> strays;
  {
    Result<IndexRange::Walk> cursor = journal.walk(transaction);
    if (!cursor) return cursor.status();
    Result<bool> more = cursor->first();
    for (; more.ok() && *more; more = cursor->next()) {
      const Bytes key = cursor->key();
      if (sequence_of(key) == 0) strays.emplace_back(key.begin(), key.end());
    }
    if (!more) return more.status();
  }
  for (const std::vector<std::byte>& key : strays) {
    if (Status s = journal.remove(transaction, key); !s.ok()) return s;
  }
  return {};
}

Status put_entry(CountedRange& journal, Sequence sequence, RecordBuffer& record, PutMode mode) {
  const Key64 key(sequence);
  seal({RecordKind::kJournal, journal.index(), key.bytes()}, &record);
  return journal.put(key.bytes(), record, mode);
}

}  // namespace vicinal::persist
