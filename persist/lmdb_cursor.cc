#include "persist/lmdb_cursor.h"

#include <lmdb.h>

#include <utility>

#include "persist/lmdb_status.h"

namespace vicinal::persist {
Result<Cursor> Cursor::open(Transaction& transaction, DatabaseHandle database) {
  MDB_cursor* cursor = nullptr;
  if (const int rc = mdb_cursor_open(transaction.raw(), database, &cursor); rc != MDB_SUCCESS) {
    return transaction.failed(rc, "opening a cursor");
  }
  return Cursor(&transaction, cursor);
}

Cursor::Cursor(Cursor&& other) noexcept
    : transaction_(other.transaction_),
      cursor_(std::exchange(other.cursor_, nullptr)),
      key_(other.key_),
      value_(other.value_) {}

Cursor::~Cursor() {
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
}

Result<bool> Cursor::move(int operation, Bytes key) {
  MDB_val k{key.size(), const_cast<std::byte*>(key.data())};  // LMDB only reads through it
  MDB_val v{};
  const int rc = mdb_cursor_get(cursor_, &k, &v, static_cast<MDB_cursor_op>(operation));
  if (rc == MDB_NOTFOUND) return false;
  if (rc != MDB_SUCCESS) return transaction_->failed(rc, "moving a cursor");
  for (const MDB_val& val : {k, v}) {
    if (Status s = transaction_->check_end(to_bytes(val)); !s.ok()) return s;
  }
  key_ = to_bytes(k);
  value_ = to_bytes(v);
  return true;
}

Result<bool> Cursor::first() { return move(MDB_FIRST, {}); }
Result<bool> Cursor::next() { return move(MDB_NEXT, {}); }
Result<bool> Cursor::previous() { return move(MDB_PREV, {}); }
Result<bool> Cursor::last() { return move(MDB_LAST, {}); }
Result<bool> Cursor::seek(Bytes key) { return move(MDB_SET_RANGE, key); }

}  // namespace vicinal::persist
