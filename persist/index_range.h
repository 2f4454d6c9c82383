// IndexRange: the records of one index in one of the databases that all indexes share.
//
// What: the one place that knows that an index's id, four bytes big-endian, stands before each of
// its keys. Keys here are without it. A walk begins at the index's first record and ends at its
// last, so nobody meets records of others, however many there are. Of two ranges the tail
// (range_tail.h) lies under the key 0xFF, behind every other record; it is no record of a walk.
// Ownership: a plain value; what it finds is the transaction's.
// Threads: the transaction's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "persist/format.h"
#include "persist/lmdb_cursor.h"
#include "persist/lmdb_transaction.h"
#include "vicinal/status.h"

namespace vicinal::persist {

class IndexRange {
 public:
  IndexRange() = default;
  /// `index` is the numeric id.
  IndexRange(DatabaseHandle database, std::uint32_t index) : database_(database), index_(index) {}

  std::uint32_t index() const { return index_; }
  DatabaseHandle database() const { return database_; }

  // As those of Transaction. Keys are at most kLongestKey - kIdBytes long.

  Result<bool> get(Transaction& transaction, Bytes key, Bytes* value) const;
  /// kAppend: `key` is greater than every other of this index.
  Status put(Transaction& transaction, Bytes key, Bytes value,
             PutMode mode = PutMode::kReplace) const;
  Result<std::span<std::byte>> reserve(Transaction& transaction, Bytes key, std::size_t size) const;
  Status remove(Transaction& transaction, Bytes key) const;
  /// The greatest key but the tail's; false when there is none.
  Result<bool> last_key(Transaction& transaction, Bytes* key) const;

  class Walk;
  Result<Walk> walk(Transaction& transaction) const;

  static constexpr std::size_t kIdBytes = sizeof(std::uint32_t);

 private:
  /// Whether a key of the database is one of this index.
  bool has(Bytes full) const;

  DatabaseHandle database_ = 0;
  std::uint32_t index_ = 0;
};

/// A walk over the records but the tail, in the order of their keys.
class IndexRange::Walk {
 public:
  /// See IndexRange::walk().
  Walk(const IndexRange& range, Cursor cursor) : range_(range), cursor_(std::move(cursor)) {}

  /// Each moves, and says whether there is a record.
  Result<bool> first();
  Result<bool> next();
  Result<bool> seek(Bytes key);  ///< the first record whose key is not less

  Bytes key() const { return cursor_.key().subspan(kIdBytes); }
  Bytes value() const { return cursor_.value(); }

 private:
  Result<bool> arrived(Result<bool> moved);

  IndexRange range_;
  Cursor cursor_;
};

/// A key with the id of its index before it.
class FullKey {
 public:
  FullKey(std::uint32_t index, Bytes key);
  Bytes bytes() const { return Bytes(bytes_).first(size_); }

 private:
  std::array<std::byte, kLongestKey> bytes_;
  std::size_t size_;
};

}  // namespace vicinal::persist
