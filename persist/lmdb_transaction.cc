#include "persist/lmdb_transaction.h"

#include <fmt/format.h>
#include <lmdb.h>

#include <cstring>
#include <utility>

#include "persist/disk_room.h"
#include "persist/failpoints.h"
#include "persist/lmdb_env.h"
#include "persist/lmdb_page.h"
#include "persist/lmdb_status.h"

namespace vicinal::persist {
namespace {

MDB_val to_val(Bytes bytes) {
  return {bytes.size(), const_cast<std::byte*>(bytes.data())};  // LMDB only reads through it
}

}  // namespace

Bytes to_bytes(const MDB_val& val) {
  return {static_cast<const std::byte*>(val.mv_data), val.mv_size};
}

Status Transaction::failed(int code, const char* what) {
  if (code == MDB_MAP_FULL) map_full_ = true;
  Status status = disk_status(code, what, environment_->path(), bytes_put_);
  damaged_ = damaged_ || status.code() == StatusCode::kCorruption;
  return status;
}

std::uint32_t Transaction::page_size() const { return environment_->page_size(); }

std::uint64_t Transaction::id() const { return mdb_txn_id(txn_); }

Status Transaction::check_end(Bytes bytes) {
  if (wrote_ || environment_->map_size().begin() == nullptr) return {};
  MDB_envinfo info{};
  if (mdb_env_info(mdb_txn_env(txn_), &info) != MDB_SUCCESS) return {};
  const std::uint64_t file = (info.me_last_pgno + 1ull) * environment_->page_size();
  const auto begin = static_cast<std::uint64_t>(bytes.data() - environment_->map_size().begin());
  if (begin <= file && bytes.size() <= file - begin) return {};
  damaged_ = true;
  return Status::corruption(
      fmt::format("a record of {} bytes begins at {} in a file of {}", bytes.size(), begin, file));
}

Status Transaction::check_replaced(DatabaseHandle database, Bytes key) {
  Bytes value;
  const Result<bool> found = get(database, key, &value);
  if (!found) return found.status();
  return *found ? check_freed(value) : Status();
}

Status Transaction::check_freed(Bytes value) {
  const std::uint64_t page_size = environment_->page_size();
  const auto at = reinterpret_cast<std::uintptr_t>(value.data());
  const auto map = reinterpret_cast<std::uintptr_t>(environment_->map_size().begin());
  if (map == 0 || at % page_size != kLmdbPageHeader) return {};  // in a page with others
  if (at < map) return {};                                       // not of the file
  MDB_envinfo info{};
  if (mdb_env_info(mdb_txn_env(txn_), &info) != MDB_SUCCESS) return {};
  const std::uint64_t page = (at - map) / page_size;
  if (page > info.me_last_pgno) return {};  // this transaction's own
  const LmdbLargeValue first(value.data() - kLmdbPageHeader);
  Status status = first.check(page, value.size(), page_size);
  damaged_ = damaged_ || !status.ok();
  return status;
}

Result<bool> Transaction::get(DatabaseHandle database, Bytes key, Bytes* value) {
  MDB_val k = to_val(key);
  MDB_val v{};
  const int rc = mdb_get(txn_, database, &k, &v);
  if (rc == MDB_NOTFOUND) return false;
  if (rc != MDB_SUCCESS) return failed(rc, "reading a record");
  if (Status s = check_end(to_bytes(v)); !s.ok()) return s;
  *value = to_bytes(v);
  return true;
}

Status Transaction::put(DatabaseHandle database, Bytes key, Bytes value, PutMode mode) {
  if (Status s = failpoints::reach("lmdb.before_put"); !s.ok()) return s;
  if (mode == PutMode::kReplace) {
    if (Status s = check_replaced(database, key); !s.ok()) return s;
  }
  MDB_val k = to_val(key);
  MDB_val v = to_val(value);
  wrote_ = true;
  bytes_put_ += value.size();
  const unsigned flags = mode == PutMode::kAppend ? MDB_APPEND
                         : mode == PutMode::kNew  ? MDB_NOOVERWRITE
                                                  : 0u;
  return failed(mdb_put(txn_, database, &k, &v, flags), "writing a record");
}

Result<std::span<std::byte>> Transaction::reserve(DatabaseHandle database, Bytes key,
                                                  std::size_t size) {
  if (Status s = failpoints::reach("lmdb.before_reserve"); !s.ok()) return s;
  if (Status s = check_replaced(database, key); !s.ok()) return s;
  MDB_val k = to_val(key);
  MDB_val v{size, nullptr};
  wrote_ = true;
  bytes_put_ += size;
  if (const int rc = mdb_put(txn_, database, &k, &v, MDB_RESERVE); rc != MDB_SUCCESS) {
    return failed(rc, "writing a record");
  }
  return std::span(static_cast<std::byte*>(v.mv_data), size);
}

Status Transaction::remove(DatabaseHandle database, Bytes key) {
  if (Status s = failpoints::reach("lmdb.before_remove"); !s.ok()) return s;
  if (Status s = check_replaced(database, key); !s.ok()) return s;
  MDB_val k = to_val(key);
  wrote_ = true;
  const int rc = mdb_del(txn_, database, &k, nullptr);
  return rc == MDB_NOTFOUND ? Status() : failed(rc, "deleting a record");
}

Result<bool> Transaction::last_key(DatabaseHandle database, Bytes* key) {
  MDB_cursor* cursor = nullptr;
  if (const int rc = mdb_cursor_open(txn_, database, &cursor); rc != MDB_SUCCESS) {
    return failed(rc, "opening a cursor");
  }
  MDB_val k{};
  MDB_val v{};
  const int rc = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
  mdb_cursor_close(cursor);
  if (rc == MDB_NOTFOUND) return false;
  if (rc != MDB_SUCCESS) return failed(rc, "reading the last key");
  *key = to_bytes(k);
  return true;
}

Result<std::uint64_t> Transaction::entries(DatabaseHandle database) {
  MDB_stat stat{};
  if (const int rc = mdb_stat(txn_, database, &stat); rc != MDB_SUCCESS) {
    return failed(rc, "reading the statistics of a database");
  }
  return std::uint64_t{stat.ms_entries};
}

Result<DatabaseHandle> Transaction::open_database(const std::string& name, bool create) {
  MDB_dbi dbi = 0;
  int rc = mdb_dbi_open(txn_, name.c_str(), 0, &dbi);
  if (rc == MDB_NOTFOUND && create) {
    wrote_ = true;
    rc = mdb_dbi_open(txn_, name.c_str(), MDB_CREATE, &dbi);
  }
  if (rc != MDB_SUCCESS) return failed(rc, "opening a database");
  return DatabaseHandle{dbi};
}

std::uint64_t Transaction::free_bytes() const { return free_pages(txn_) * page_size(); }

ReadTransaction::ReadTransaction(ReadTransaction&& other) noexcept
    : gate_(std::exchange(other.gate_, nullptr)),
      stay_(other.stay_),
      transaction_(other.transaction_.environment(), other.transaction_.raw()) {}

ReadTransaction::~ReadTransaction() {
  if (gate_ == nullptr) return;
  mdb_txn_reset(transaction_.raw());
  gate_->leave(transaction_.raw(), true, stay_);
}

Status ReadTransaction::outside(const std::function<void()>& work) {
  struct Outside {
    Outside(ReaderGate& left, Stay how_long) : gate(left), stay(how_long) {
      gate.leave(nullptr, false, stay);
    }
    ~Outside() { gate.enter_again(stay); }
    Outside(const Outside&) = delete;
    Outside& operator=(const Outside&) = delete;
    ReaderGate& gate;
    const Stay stay;
  };
  mdb_txn_reset(transaction_.raw());
  {
    const Outside outside(*gate_, stay_);
    work();
  }
  const bool lost = transaction_.environment()->map_size().lost();
  return lmdb_status(lost ? EIO : mdb_txn_renew(transaction_.raw()), "going on reading");
}

void ReadTransaction::call_back(const std::function<void()>& work) const {
  const ReaderGate::CallsBack scope(*gate_);
  work();
}

Status ReadTransaction::keep_handles() {
  const int rc = mdb_txn_commit(transaction_.raw());  // a commit keeps the handles open
  std::exchange(gate_, nullptr)->leave(nullptr, false, stay_);
  return lmdb_status(rc, "keeping handles");
}

}  // namespace vicinal::persist
