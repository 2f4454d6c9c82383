// Transaction: what LMDB does inside a transaction, behind plain types.
//
// What: every record that it returns was held against the file's end, and every large value that it
// replaces or deletes against the pages it says it has: LMDB believes both.
// Ownership: a write transaction belongs to Environment::write(), a ReadTransaction to whoever
// called Environment::read(); the environment outlives both.
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "persist/format.h"
#include "vicinal/status.h"

struct MDB_txn;
struct MDB_val;

namespace vicinal::persist {

class Environment;
class ReaderGate;
enum class Stay : std::uint8_t;

using DatabaseHandle = unsigned;

/// What LMDB shows, for as long as its transaction.
Bytes to_bytes(const MDB_val& val);

enum class PutMode {
  kReplace,
  kNew,     ///< the key is not there
  kAppend,  ///< it is greater than every key there: pages are filled whole
};

/// A transaction in progress. Bytes that it returns point into the map:
/// valid until the transaction ends or, in a write transaction, until its next change.
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
  /// Records of a whole database.
  Result<std::uint64_t> entries(DatabaseHandle database);
  /// Opens a named database; only inside Environment::with_handles. kNotFound when it is absent.
  Result<DatabaseHandle> open_database(const std::string& name, bool create);

  std::uint32_t page_size() const;
  /// Of free pages inside the file.
  std::uint64_t free_bytes() const;
  /// The last commit that it sees.
  std::uint64_t id() const;
  /// Whether pages of LMDB's own were found damaged, which no checksum of ours covers: LMDB would
  /// believe them when it writes.
  bool damaged() const { return damaged_; }

  // For the files that call LMDB (lmdb_*.cc).

  /// `txn` is the caller's to end.
  Transaction(const Environment* environment, MDB_txn* txn)
      : environment_(environment), txn_(txn) {}
  const Environment* environment() const { return environment_; }
  MDB_txn* raw() const { return txn_; }
  /// Whether a change found the map too small for it.
  bool map_full() const { return map_full_; }
  /// LMDB's answer as ours; remembers a full map and damage.
  Status failed(int code, const char* what);
  /// LMDB believes the length of a record, whatever the file says: one that reaches beyond the
  /// file's end would be a SIGBUS for its reader.
  Status check_end(Bytes bytes);

 private:
  /// LMDB believes the first page of a large value when it frees its pages, and a wrong number of
  /// them would make free pages of others' values: looked at before a value is replaced or deleted.
  Status check_freed(Bytes value);
  Status check_replaced(DatabaseHandle database, Bytes key);

  const Environment* environment_;
  MDB_txn* txn_;
  bool wrote_ = false;           ///< some pages are not the map's any more
  std::uint64_t bytes_put_ = 0;  ///< values only
  bool map_full_ = false;
  bool damaged_ = false;
};

/// A snapshot. Reader slots are pooled: beginning one costs a renewal, not a system call.
class ReadTransaction {
 public:
  ReadTransaction(ReadTransaction&& other) noexcept;
  ReadTransaction& operator=(ReadTransaction&&) = delete;
  ~ReadTransaction();

  Transaction& operator*() { return transaction_; }
  Transaction* operator->() { return &transaction_; }

  /// Has no snapshot while `work` runs, which may write, and the map may move; then one of that moment.
  /// Before it no cursor lives, and nothing found may be used afterwards.
  /// Errors: kIoError  there is none: the transaction is to be ended.
  Status outside(const std::function<void()>& work);
  /// Keeps its snapshot while `work` runs, which may read, but not write; kBusy where the map would move.
  void call_back(const std::function<void()>& work) const;

  // For lmdb_env.cc.

  /// `txn` was begun or renewed inside `gate`.
  ReadTransaction(const Environment* environment, ReaderGate* gate, MDB_txn* txn, Stay stay)
      : gate_(gate), stay_(stay), transaction_(environment, txn) {}
  /// Ends it; databases that it opened stay open.
  Status keep_handles();

 private:
  ReaderGate* gate_;  ///< which it entered; null when it has ended
  const Stay stay_;
  Transaction transaction_;
};

}  // namespace vicinal::persist
