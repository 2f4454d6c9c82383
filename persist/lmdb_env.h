// LMDB behind plain types: environment (lmdb_env.cc), transactions and cursors
// (lmdb_transaction.cc). No other files but those, and lmdb_status.cc, know lmdb.h.
//
// Ownership: an Environment owns the map, its reader pool and its handles.
// Threads: any, with two rules of LMDB kept here: one writer at a time (write_mutex_), and the map
// moves only while no transaction lives. Readers enter a gate; growing closes the gate, waits until
// they have left, and opens it again. So a thread that holds a ReadTransaction must not write or
// begin another one.
//
// Invariants:
//   N1  A closure given to write() runs again from the start after the map grew: it may change
//       nothing but the transaction until write() returns.
//   N2  The data file is never shorter than its last page says once a commit returned: what reads
//       it by its length alone (copies, other tools, earlier releases) finds it whole.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "persist/fair_mutex.h"
#include "persist/format.h"
#include "vicinal/status.h"
#include "vicinal/types.h"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

namespace vicinal::persist {

using DatabaseHandle = unsigned;

enum class PutMode {
  kReplace,
  kAppend,  ///< the key is greater than every key there: pages are filled whole
};

struct DatabaseStats {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;  ///< pages in use times the page size
};

/// A transaction in progress; made by Environment only. Bytes that it returns point into the map:
/// valid until the transaction ends or, in a write transaction, until its next change.
class Environment;

class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// False when the key is absent.
  Result<bool> get(DatabaseHandle database, Bytes key, Bytes* value);
  Status put(DatabaseHandle database, Bytes key, Bytes value, PutMode mode = PutMode::kReplace);
  /// Room for a value of `size` bytes under `key`, to be filled before the transaction's next
  /// change.
  Result<std::span<std::byte>> reserve(DatabaseHandle database, Bytes key, std::size_t size);
  /// Absent keys are no error.
  Status remove(DatabaseHandle database, Bytes key);
  /// The greatest key; false when there is none.
  Result<bool> last_key(DatabaseHandle database, Bytes* key);
  Result<DatabaseStats> stats(DatabaseHandle database);
  /// Opens a named database; only inside Environment::with_handles. kNotFound when it is absent.
  Result<DatabaseHandle> open_database(const std::string& name, bool create);
  /// Deletes a named database with its content; only inside Environment::with_handles.
  Status drop_database(const std::string& name);

  std::uint32_t page_size() const;
  /// The last commit that it sees.
  std::uint64_t id() const;
  /// Whether pages of LMDB's own were found damaged, which no checksum of ours covers: LMDB would
  /// believe them when it writes.
  bool damaged() const { return damaged_; }

 private:
  friend class Environment;
  friend class ReadTransaction;
  friend class Cursor;
  Transaction(const Environment* environment, MDB_txn* txn)
      : environment_(environment), txn_(txn) {}
  Status failed(int code, const char* what);
  /// LMDB believes the length of a record, whatever the file says: one that reaches beyond the
  /// file's end would be a SIGBUS for its reader.
  Status check_end(Bytes bytes);
  /// LMDB believes the first page of a large value when it frees its pages, and a wrong number of
  /// them would make free pages of others' values: looked at before a value is replaced or deleted.
  Status check_freed(Bytes value);
  Status check_replaced(DatabaseHandle database, Bytes key);

  const Environment* environment_;
  MDB_txn* txn_;
  bool wrote_ = false;  ///< some pages are not the map's any more
  bool map_full_ = false;
  bool damaged_ = false;
};

/// Walks a database in key order. Must end before its transaction.
class Cursor {
 public:
  static Result<Cursor> open(Transaction& transaction, DatabaseHandle database);
  Cursor(Cursor&& other) noexcept;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();

  /// Each moves, and says whether there is a record.
  Result<bool> first();
  Result<bool> next();
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

class Environment;

/// A snapshot. Reader slots are pooled: beginning one costs a renewal, not a system call.
class ReadTransaction {
 public:
  ReadTransaction(ReadTransaction&& other) noexcept;
  ReadTransaction& operator=(ReadTransaction&&) = delete;
  ~ReadTransaction();

  Transaction& operator*() { return transaction_; }
  Transaction* operator->() { return &transaction_; }

 private:
  friend class Environment;
  ReadTransaction(Environment* environment, MDB_txn* txn)
      : environment_(environment), transaction_(environment, txn) {}
  /// Ends it; databases that it opened stay open.
  Status keep_handles();

  Environment* environment_;
  Transaction transaction_;
};

struct EnvironmentOptions {
  Durability durability = Durability::kFull;
  bool read_only = false;
  std::uint64_t map_bytes = 0;      ///< 0: the largest of a few sizes that the system grants
  std::uint64_t max_map_bytes = 0;  ///< 0: no limit
};

class Environment {
 public:
  using Closure = std::function<Status(Transaction&)>;

  /// Opens the LMDB environment in the folder `path`, making the data file when it is absent and
  /// the options allow writing. The caller has examined the file and holds the lock.
  static Result<std::unique_ptr<Environment>> open(const std::string& path,
                                                   const EnvironmentOptions& options);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment();

  /// Runs `closure` in a write transaction and commits it; grows the map and runs it again when it
  /// is full (N1).
  /// Errors: the closure's; kFull with the limit; kIoError; kReadOnly.
  Status write(const Closure& closure);
  /// As write(), or in a read transaction when read-only: the only place where databases may be
  /// opened or dropped, one caller at a time. Waits for no reader, unless the map must grow. Of a
  /// database that is dropped no handle may be in use.
  Status with_handles(const Closure& closure);
  /// A snapshot for reading. kBusy when more readers live than LMDB has slots.
  Result<ReadTransaction> read();

  /// Flushes the operating system's buffers of the data file to the device.
  Status sync();
  /// Writes a compact copy into `file`, which must not exist.
  Status copy_to(const std::string& file);

  /// Finds out where the map begins, which LMDB does not tell; from then on no record is believed
  /// that ends beyond the file. While no other transaction lives, on pages that were checked.
  void learn_map();

  bool read_only() const { return options_.read_only; }
  /// True when a commit waits for the disk.
  bool syncs() const { return options_.durability != Durability::kNone; }
  std::uint32_t page_size() const { return page_size_; }
  std::uint64_t map_bytes();
  /// The data file's, or -1.
  int file_descriptor() const;
  /// Bytes of the data file.
  std::uint64_t file_bytes() const;
  /// Write transactions committed so far.
  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }

 private:
  friend class ReadTransaction;
  friend class Transaction;
  class Exclusive;

  explicit Environment(const EnvironmentOptions& options) : options_(options) {}
  Status open_env(const std::string& path, std::uint64_t map_bytes);
  /// The closure's answer; what it throws ends the transaction.
  static Status call(const Closure& closure, Transaction& transaction);
  Status write_locked(const Closure& closure);
  Status grow();
  Status set_map(std::uint64_t bytes);
  Status adopt_map_size();
  Status keep_file_whole();
  void close_env();
  MDB_txn* enter_gate();
  void leave_gate(MDB_txn* txn, bool reusable);

  const EnvironmentOptions options_;
  std::string path_;
  MDB_env* env_ = nullptr;
  std::uint32_t page_size_ = 0;
  const std::byte* map_ = nullptr;  // changes while no transaction lives
  std::atomic<std::uint64_t> commits_{0};

  std::mutex handles_mutex_;  // before write_mutex_
  FairMutex write_mutex_;
  // Guarded by write_mutex_.
  std::uint64_t whole_bytes_ = 0;  // the file is known to be at least this long

  std::mutex gate_mutex_;
  std::condition_variable gate_changed_;
  // Guarded by gate_mutex_.
  bool gate_closed_ = false;
  std::atomic<bool> map_lost_{false};  // moving the map failed half-way: nothing may touch it
  std::uint64_t readers_ = 0;
  std::vector<MDB_txn*> idle_readers_;
};

}  // namespace vicinal::persist
