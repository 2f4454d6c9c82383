// Environment: LMDB's environment behind plain types.
//
// What: no other files but lmdb_*.cc know lmdb.h; transactions, cursors and the gate for readers
// have headers of their own.
// Ownership: an Environment owns the map, its reader pool and its handles.
// Threads: any, with two rules of LMDB kept here: one writer at a time (write_mutex_), and the map
// moves only while no transaction lives (lmdb_gate.h). So a thread that holds a ReadTransaction must
// not write or begin another one.
//
// Invariants:
//   N1  A closure given to write() runs again from the start after the map grew: it may change
//       nothing but the transaction until write() returns.
//   N2  The data file is never shorter than its last page says once a commit returned: what reads
//       it by its length alone (copies, other tools, earlier releases) finds it whole.
//   N3  Writes that add leave half of max_map_bytes, at most 64 MiB, to those that do not: the
//       map ends before it while they run.
//   N4  Nobody but this environment writes its file while it is open for writing: where the path
//       leads to another file, or the last transaction is not the one committed here, nothing is
//       written any more.
//   N5  A transaction whose commit failed is not in the file, as far as the disk lets it be taken out.
//       Where its meta page was being written, nothing is written or read through LMDB any more.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/mutex.h"
#include "persist/fair_mutex.h"
#include "persist/lmdb_gate.h"
#include "persist/lmdb_map.h"
#include "persist/lmdb_transaction.h"
#include "vicinal/status.h"
#include "vicinal/types.h"

struct MDB_env;

namespace vicinal::persist {

struct EnvironmentOptions {
  Durability durability = Durability::kFull;
  bool read_only = false;
  std::uint64_t map_bytes = 0;      ///< 0: the largest of a few sizes that the system grants
  std::uint64_t max_map_bytes = 0;  ///< 0: no limit
  std::uint32_t file_mode = 0666;   ///< see StoreOptions
  unsigned databases = 6;           ///< at most so many have handles: transactions look at each
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
  /// Errors: the closure's; kFull with the limit, or with the disk's free bytes; kIoError; kReadOnly.
  Status write(const Closure& closure, WriteKind kind = WriteKind::kKeepsOrFrees);
  /// As write(), or in a read transaction when read-only: the only place where databases may be
  /// opened, one caller at a time. Waits for no reader, unless the map must grow.
  Status with_handles(const Closure& closure);
  /// A snapshot for reading. kBusy when more readers live than LMDB has slots, and where the map would have
  /// to move under a snapshot that the thread holds (ReadTransaction::call_back()).
  Result<ReadTransaction> read(Stay stay = Stay::kShort);

  /// Flushes the operating system's buffers of the data file to the device. After one that failed
  /// all fail: what could not be written then is written by none of them, and may be lost.
  Status sync();
  /// Writes a compact copy into `file`, which must not exist.
  Status copy_to(const std::string& file);

  /// Finds out where the map begins, which LMDB does not tell; from then on no record is believed
  /// that ends beyond the file. While no other transaction lives, on pages that were checked.
  void learn_map() { map_.learn(); }

  bool read_only() const { return options_.read_only; }
  const std::string& path() const { return path_; }
  /// True when a commit waits for the disk.
  bool syncs() const { return options_.durability != Durability::kNone; }
  std::uint32_t page_size() const { return page_size_; }
  const LmdbMap& map_size() const { return map_; }
  /// Gives back what readers of killed processes hold: their slots, and pages that writers would
  /// never use again. How many there were.
  int clear_stale_readers();
  /// As many as were cleared since opening began.
  int stale_readers() const { return stale_readers_.load(std::memory_order_relaxed); }
  /// The data file's, or -1.
  int file_descriptor() const;
  /// Bytes of the data file.
  std::uint64_t file_bytes() const;
  /// Write transactions committed so far.
  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }

 private:
  explicit Environment(const EnvironmentOptions& options)
      : options_(options), map_(options.max_map_bytes) {}
  /// `refused`: whether the system has no address space for such a map.
  Status open_env(const std::string& path, std::uint64_t map_bytes, bool* refused);
  /// The closure's answer; what it throws ends the transaction.
  static Status call(const Closure& closure, Transaction& transaction);
  Status write_locked(const Closure& closure, WriteKind kind) VICINAL_REQUIRES(write_mutex_);
  /// N4, before a write transaction.
  Status check_underneath() VICINAL_REQUIRES(write_mutex_);
  /// Ends `txn`, of `transaction`, whatever it answers.
  Status commit(Transaction& transaction, MDB_txn* txn) VICINAL_REQUIRES(write_mutex_);
  void keep_file_whole() VICINAL_REQUIRES(write_mutex_);
  void close_env();

  const EnvironmentOptions options_;
  std::string path_;
  MDB_env* env_ = nullptr;
  std::atomic<int> stale_readers_{0};
  std::atomic<int> failed_sync_{0};  ///< its error
  std::uint32_t page_size_ = 0;
  LmdbMap map_;
  std::atomic<std::uint64_t> commits_{0};

  internal::Mutex handles_mutex_ VICINAL_ACQUIRED_BEFORE(write_mutex_);
  FairMutex write_mutex_;
  std::uint64_t last_committed_ = 0;  // LMDB's number of the transaction; guarded once it is shared
  // Why nothing may be written any more.
  Status changed_underneath_ VICINAL_GUARDED_BY(write_mutex_);
  // The file is known to be at least this long.
  std::uint64_t whole_bytes_ VICINAL_GUARDED_BY(write_mutex_) = 0;

  ReaderGate gate_;
};

}  // namespace vicinal::persist
