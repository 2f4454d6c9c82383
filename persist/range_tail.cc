#include "persist/range_tail.h"

#include "persist/fixed_records.h"

namespace vicinal::persist {
namespace {

RecordId tail_id(const IndexRange& range) { return {RecordKind::kTail, range.index(), kTailKey}; }

std::uint64_t size_of(Bytes key, Bytes value) { return key.size() + value.size(); }

}  // namespace

Result<TailRecord> read_tail(Transaction& transaction, const IndexRange& range) {
  TailRecord tail;
  const Status status = read_record(transaction, range, tail_id(range), &tail);
  if (!status.ok()) return status;
  return tail;
}

Status write_tail(Transaction& transaction, const IndexRange& range) {
  TailRecord tail;
  {
    Result<IndexRange::Walk> walk = range.walk(transaction);
    if (!walk) return walk.status();
    Result<bool> more = walk->first();
    for (; more.ok() && *more; more = walk->next()) {
      ++tail.entries;
      tail.bytes += size_of(walk->key(), walk->value());
    }
    if (!more) return more.status();
  }
  return write_record(transaction, range, tail_id(range), tail);
}

Status CountedRange::read() {
  if (known_) return {};
  const Result<TailRecord> tail = read_tail(transaction_, range_);
  if (!tail) return tail.status();
  tail_ = *tail;
  known_ = true;
  return {};
}

Result<bool> CountedRange::discount(Bytes key) {
  Bytes value;
  const Result<bool> found = range_.get(transaction_, key, &value);
  if (!found || !*found) return found;
  const std::uint64_t bytes = size_of(key, value);
  if (tail_.entries == 0 || tail_.bytes < bytes) {
    return Status::corruption(describe(tail_id(range_)) + " counts less than there is");
  }
  --tail_.entries;
  tail_.bytes -= bytes;
  return true;
}

Status CountedRange::put(Bytes key, Bytes value, PutMode mode) {
  if (Status s = read(); !s.ok()) return s;
  if (mode == PutMode::kReplace) {
    if (const Result<bool> found = discount(key); !found) return found.status();
  }
  ++tail_.entries;
  tail_.bytes += size_of(key, value);
  return range_.put(transaction_, key, value, mode);
}

Status CountedRange::remove(Bytes key) {
  if (Status s = read(); !s.ok()) return s;
  const Result<bool> found = discount(key);
  if (!found || !*found) return found.status();
  return range_.remove(transaction_, key);
}

Status CountedRange::flush() {
  return known_ ? write_record(transaction_, range_, tail_id(range_), tail_) : Status();
}

}  // namespace vicinal::persist
