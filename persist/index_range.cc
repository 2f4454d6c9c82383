#include "persist/index_range.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace vicinal::persist {
namespace {

bool is_tail(Bytes key) { return std::ranges::equal(key, kTailKey); }

}  // namespace

FullKey::FullKey(std::uint32_t index, Bytes key) : size_(IndexRange::kIdBytes + key.size()) {
  VICINAL_CHECK(size_ <= kLongestKey);
  const Key32 id(index);
  std::ranges::copy(key, std::ranges::copy(id.bytes(), bytes_.begin()).out);
}

Result<bool> IndexRange::get(Transaction& transaction, Bytes key, Bytes* value) const {
  return transaction.get(database_, FullKey(index_, key).bytes(), value);
}

Status IndexRange::put(Transaction& transaction, Bytes key, Bytes value, PutMode mode) const {
  const FullKey full(index_, key);
  if (mode == PutMode::kAppend) {
    // Behind the others of this index, and before those of the next one, if there are such.
    Bytes last;
    const Result<bool> any = transaction.last_key(database_, &last);
    if (!any) return any.status();
    if (*any && !std::ranges::lexicographical_compare(last, full.bytes())) mode = PutMode::kNew;
  }
  return transaction.put(database_, full.bytes(), value, mode);
}

Result<std::span<std::byte>> IndexRange::reserve(Transaction& transaction, Bytes key,
                                                 std::size_t size) const {
  return transaction.reserve(database_, FullKey(index_, key).bytes(), size);
}

Status IndexRange::remove(Transaction& transaction, Bytes key) const {
  return transaction.remove(database_, FullKey(index_, key).bytes());
}

bool IndexRange::has(Bytes full) const {
  std::uint32_t id = 0;
  return full.size() >= kIdBytes && parse_key(full.first(kIdBytes), &id) && id == index_;
}

Result<bool> IndexRange::last_key(Transaction& transaction, Bytes* key) const {
  Result<Cursor> cursor = Cursor::open(transaction, database_);
  if (!cursor) return cursor.status();
  const Key32 next(index_ + 1);  // no index has the last id (catalog.h)
  Result<bool> found = cursor->seek(next.bytes());
  if (!found) return found;
  found = *found ? cursor->previous() : cursor->last();
  if (found && *found && has(cursor->key()) && is_tail(cursor->key().subspan(kIdBytes))) {
    found = cursor->previous();
  }
  if (!found) return found;
  if (!*found || !has(cursor->key())) return false;
  *key = cursor->key().subspan(kIdBytes);
  return true;
}

Result<IndexRange::Walk> IndexRange::walk(Transaction& transaction) const {
  Result<Cursor> cursor = Cursor::open(transaction, database_);
  if (!cursor) return cursor.status();
  return Walk(*this, std::move(*cursor));
}

Result<bool> IndexRange::Walk::arrived(Result<bool> moved) {
  if (!moved || !*moved) return moved;
  if (!range_.has(cursor_.key())) return false;
  return is_tail(key()) ? next() : moved;
}

Result<bool> IndexRange::Walk::first() { return seek({}); }
Result<bool> IndexRange::Walk::next() { return arrived(cursor_.next()); }
Result<bool> IndexRange::Walk::seek(Bytes key) {
  return arrived(cursor_.seek(FullKey(range_.index_, key).bytes()));
}

}  // namespace vicinal::persist
