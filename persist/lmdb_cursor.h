// Cursor: a walk over a database in the order of its keys.
//
// Ownership: belongs to its maker, and ends before its transaction.
// Threads: its transaction's.
#pragma once

#include "persist/format.h"
#include "persist/lmdb_transaction.h"
#include "vicinal/status.h"

struct MDB_cursor;

namespace vicinal::persist {

class Cursor {
 public:
  static Result<Cursor> open(Transaction& transaction, DatabaseHandle database);
  Cursor(Cursor&& other) noexcept;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();

  /// Each moves, and says whether there is a record.
  Result<bool> first();
  Result<bool> next();
  Result<bool> previous();
  Result<bool> last();
  Result<bool> seek(Bytes key);  ///< the first record whose key is not less

  Bytes key() const { return key_; }
  Bytes value() const { return value_; }

 private:
  Cursor(Transaction* transaction, MDB_cursor* cursor)
      : transaction_(transaction), cursor_(cursor) {}
  Result<bool> move(int operation, Bytes key);

  Transaction* transaction_;
  MDB_cursor* cursor_;
  Bytes key_;
  Bytes value_;
};

}  // namespace vicinal::persist
