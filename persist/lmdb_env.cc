#include "persist/lmdb_env.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "engine/base/check.h"
#include "persist/data_file.h"
#include "persist/descriptor.h"
#include "persist/disk_room.h"
#include "persist/failpoints.h"
#include "persist/lmdb_meta.h"
#include "persist/lmdb_status.h"
#include "persist/paced_copy.h"

namespace vicinal::persist {
namespace {

constexpr unsigned kReaderSlots = 1022;
constexpr off_t kLockFileBytes = 64 << 10;  // what so many slots take
constexpr std::uint64_t kMiB = 1ull << 20;
constexpr std::uint64_t kGiB = 1ull << 30;
// Address space costs nothing until pages are touched, so the first map is far larger than any file
// and growing is rare. Where the system grants less (ulimit -v, emulators), the next size is tried.
constexpr std::array<std::uint64_t, 5> kMapSizes = {1024 * kGiB, 64 * kGiB, 16 * kGiB, kGiB,
                                                    64 * kMiB};
constexpr std::uint64_t kSmallestMap = 128 << 10;

/// Room on the disk for LMDB's table of readers: LMDB makes a file of holes and writes to its map,
/// which on a full disk is a SIGBUS. What else is wrong with the file is LMDB's to say.
Status reserve_lock_file(const std::string& folder, std::uint32_t mode) {
  const std::string path = folder + "/" + kLmdbLockFile;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, mode);
  if (fd < 0) return {};
  struct stat info {};
  int error = ::fstat(fd, &info) == 0 ? 0 : errno;
  const off_t bytes = info.st_size > 0 ? info.st_size : kLockFileBytes;
  if (error == 0 && ::fallocate(fd, 0, 0, bytes) != 0) error = errno;
  ::close(fd);
  if (error != ENOSPC && error != EDQUOT) return {};
  return Status::full(
      fmt::format("{}: no room for {} bytes: {}", path, bytes, std::strerror(error)));
}

std::uint64_t page_size_of_system() { return static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)); }

std::uint64_t last_transaction(MDB_env* env) {
  MDB_envinfo info{};
  (void)mdb_env_info(env, &info);
  return info.me_last_txnid;
}

}  // namespace

// -- Opening and closing --------------------------------------------------------------------------

Result<std::unique_ptr<Environment>> Environment::open(const std::string& path,
                                                       const EnvironmentOptions& options) {
  std::unique_ptr<Environment> environment(new Environment(options));
  Status status;
  bool refused = false;
  if (options.map_bytes != 0) {
    status = environment->open_env(path, std::max(options.map_bytes, kSmallestMap), &refused);
  } else {
    for (const std::uint64_t size : kMapSizes) {
      std::uint64_t bytes = size;
      if (options.max_map_bytes != 0) bytes = std::min(bytes, options.max_map_bytes);
      status = environment->open_env(path, std::max(bytes, kSmallestMap), &refused);
      // Only a refused mapping is worth another try.
      if (status.ok() || !refused) break;
    }
  }
  if (!status.ok()) return status;
  return environment;
}

Status Environment::open_env(const std::string& path, std::uint64_t map_bytes, bool* refused) {
  *refused = false;
  if (options_.max_map_bytes != 0) map_bytes = std::min(map_bytes, map_.limit(WriteKind::kAdds));
  std::error_code error;
  path_ = std::filesystem::absolute(path, error).string();  // whatever chdir() does later
  if (error) path_ = path;
  if (Status s = reserve_lock_file(path, options_.file_mode); !s.ok()) return s;
  int rc = mdb_env_create(&env_);
  if (rc != MDB_SUCCESS) return lmdb_status(rc, "making an LMDB environment");
  unsigned flags = MDB_NOTLS;
  if (options_.read_only) flags |= MDB_RDONLY;
  if (options_.durability == Durability::kRelaxed) flags |= MDB_NOMETASYNC;
  if (options_.durability == Durability::kNone) flags |= MDB_NOSYNC;
  if (rc == MDB_SUCCESS) rc = mdb_env_set_maxdbs(env_, options_.databases);
  if (rc == MDB_SUCCESS) rc = mdb_env_set_maxreaders(env_, kReaderSlots);
  if (rc == MDB_SUCCESS) rc = mdb_env_set_mapsize(env_, map_bytes);
  if (rc == MDB_SUCCESS) rc = mdb_env_open(env_, path.c_str(), flags, options_.file_mode);
  if (rc == EACCES && options_.read_only) {
    // A folder in which lock.mdb cannot be made: read without a lock table. LMDB itself does so on
    // a read-only file system.
    mdb_env_close(std::exchange(env_, nullptr));
    rc = mdb_env_create(&env_);
    if (rc == MDB_SUCCESS) rc = mdb_env_set_maxdbs(env_, options_.databases);
    if (rc == MDB_SUCCESS) rc = mdb_env_set_mapsize(env_, map_bytes);
    if (rc == MDB_SUCCESS)
      rc = mdb_env_open(env_, path.c_str(), flags | MDB_NOLOCK, options_.file_mode);
  }
  if (rc != MDB_SUCCESS) {
    close_env();
    const std::string what = fmt::format("opening the environment at {}", path);
    if (rc == MDB_INVALID && has_sound_metas(path)) {
      return Status::io_error(
          fmt::format("{}: LMDB reads or locks its files otherwise than they can be read: {}", what,
                      mdb_strerror(rc)));
    }
    *refused = rc == ENOMEM;
    if (rc == ENOMEM) {
      return Status::full(
          fmt::format("{}: no address space for a map of {} bytes", what, map_bytes));
    }
    return disk_status(rc, what, path, 2ull * page_size_of_system());
  }
  clear_stale_readers();
  MDB_stat stat{};
  (void)mdb_env_stat(env_, &stat);
  page_size_ = stat.ms_psize;
  map_.attach(env_, page_size_);
  last_committed_ = last_transaction(env_);
  return {};
}

int Environment::clear_stale_readers() {
  int cleared = 0;
  (void)mdb_reader_check(env_, &cleared);
  stale_readers_.fetch_add(cleared, std::memory_order_relaxed);
  return cleared;
}

// The number that a transaction begins with comes from LMDB's lock file; what stands in the data
// file is asked for here.
Status Environment::check_underneath() {
  if (!changed_underneath_.ok()) return changed_underneath_;
  if (map_.lost()) {
    return Status::io_error(fmt::format("{}: {}: its map is lost", path_, kOpenAgain));
  }
  const std::uint64_t last = last_transaction(env_);
  const std::string file = path_ + "/" + kDataFile;
  struct stat there {};
  struct stat own {};
  const int fd = file_descriptor();
  if (::stat(file.c_str(), &there) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) {  // where the path leads is not known this time
      return Status::io_error(fmt::format("{}: {}", file, std::strerror(errno)));
    }
    changed_underneath_ = Status::io_error(
        fmt::format("{}: {}: what was there is open here, and nothing more is written to it", file,
                    std::strerror(errno)));
  } else if (fd >= 0 && ::fstat(fd, &own) == 0 &&
             (there.st_dev != own.st_dev || there.st_ino != own.st_ino)) {
    changed_underneath_ = Status::io_error(fmt::format(
        "{} is another file now than the one open here: nothing more is written", file));
  } else if (last != last_committed_) {
    changed_underneath_ = Status::io_error(fmt::format(
        "{} was written by somebody else: its last transaction is {}, ours was {}; nothing more is "
        "written",
        file, last, last_committed_));
  }
  return changed_underneath_;
}

void Environment::close_env() {
  if (env_ == nullptr) return;
  gate_.drop_idle();
  mdb_env_close(std::exchange(env_, nullptr));
}

Environment::~Environment() {
  VICINAL_CHECK(gate_.empty());
  if (map_.lost()) return;  // closing would touch the map that is gone
  close_env();
}

// -- Reading --------------------------------------------------------------------------------------

Result<ReadTransaction> Environment::read(Stay stay) {
  for (int attempt = 0;; ++attempt) {
    MDB_txn* txn = gate_.enter(stay);
    int rc = EIO;
    if (!map_.lost()) {
      rc = txn != nullptr ? mdb_txn_renew(txn) : mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
    }
    if (rc == MDB_SUCCESS) return ReadTransaction(this, &gate_, txn, stay);
    gate_.leave(txn, false, stay);
    if (map_.lost() || rc == MDB_PANIC) {
      return Status::io_error(fmt::format("{}: {}: {}", path_, kOpenAgain,
                                          map_.lost() ? "its map is lost" : mdb_strerror(rc)));
    }
    if (rc != MDB_MAP_RESIZED || attempt == 8) return lmdb_status(rc, "beginning to read");
    // Another process grew the file beyond this map.
    if (gate_.calls_back()) {
      return Status::busy(
          fmt::format("{}: another process has written beyond the map of {} bytes, which cannot "
                      "move while this "
                      "thread is in the progress callback of a call that reads it",
                      path_, map_.bytes()));
    }
    const internal::MutexLock write_lock(write_mutex_);
    const ReaderGate::Closed closed(gate_);
    if (Status status = map_.adopt(); !status.ok()) return status;
  }
}

// -- Writing --------------------------------------------------------------------------------------

Status Environment::call(const Closure& closure, Transaction& transaction) {
  try {
    return closure(transaction);
  } catch (...) {
    mdb_txn_abort(transaction.raw());
    throw;
  }
}

Status Environment::write(const Closure& closure, WriteKind kind) {
  if (read_only()) return Status::read_only("the store was opened for reading");
  const internal::MutexLock lock(write_mutex_);
  return write_locked(closure, kind);
}

// LMDB lets handles be opened beside other transactions, by one transaction at a time.
Status Environment::with_handles(const Closure& closure) {
  const internal::MutexLock lock(handles_mutex_);
  if (!read_only()) return write(closure);
  Result<ReadTransaction> transaction = read();
  if (!transaction) return transaction.status();
  if (Status s = closure(**transaction); !s.ok()) return s;
  return transaction->keep_handles();
}

Status Environment::write_locked(const Closure& closure, WriteKind kind) {
  if (kind == WriteKind::kAdds) {
    VICINAL_RETURN_IF_ERROR(map_.keep_reserve(path_, gate_));
  }
  for (;;) {
    // Before there is a transaction: it makes words, for which memory may be missing.
    VICINAL_RETURN_IF_ERROR(check_underneath());
    VICINAL_RETURN_IF_ERROR(failpoints::reach("lmdb.before_begin"));
    MDB_txn* txn = nullptr;
    const int rc = mdb_txn_begin(env_, nullptr, 0, &txn);
    if (rc != MDB_SUCCESS) return lmdb_status(rc, "beginning a write transaction");
    Transaction transaction(this, txn);
    Status status = call(closure, transaction);
    if (status.ok()) status = failpoints::reach("lmdb.before_commit");
    if (status.ok() && !transaction.map_full()) {
      status = commit(transaction, txn);
      if (status.ok()) return status;
    } else {
      mdb_txn_abort(txn);
      failpoints::pass("lmdb.after_abort");
    }
    if (!transaction.map_full()) return status;
    VICINAL_RETURN_IF_ERROR(failpoints::reach("lmdb.before_growing"));
    if (Status grown = map_.grow(kind, path_, gate_); !grown.ok()) {
      if (clear_stale_readers() == 0) return grown;
      continue;  // with the pages that they held
    }
    failpoints::pass("lmdb.after_growing");
  }
}

Status Environment::commit(Transaction& transaction, MDB_txn* txn) {
  const LmdbMeta replaced(file_descriptor(), page_size_, mdb_txn_id(txn));
  errno = 0;
  const int rc = mdb_txn_commit(txn);
  const bool of_the_system = errno == EIO;
  if (rc == MDB_SUCCESS) {
    failpoints::pass("lmdb.after_commit");
    commits_.fetch_add(1, std::memory_order_relaxed);
    last_committed_ = last_transaction(env_);
    keep_file_whole();
    return {};
  }
  changed_underneath_ = replaced.take_back(env_, path_);  // N5
  Status status = transaction.failed(rc, "committing");
  // Perhaps of the sync that was to bring along the meta page of the commit before. Of a write that a
  // full disk cut short LMDB says the same, but then no call has failed.
  if (options_.durability == Durability::kRelaxed && rc == EIO && of_the_system) failed_sync_ = rc;
  return status;
}

// Pages that a transaction took from the end of the file and gave back before its commit are never
// written, so LMDB's file can be shorter than its last page says. Lengthening it keeps N2.
void Environment::keep_file_whole() {
  MDB_envinfo info{};
  (void)mdb_env_info(env_, &info);
  const std::uint64_t needed = (std::uint64_t{info.me_last_pgno} + 1) * page_size_;
  if (needed <= whole_bytes_) return;
  const int fd = file_descriptor();
  struct stat file {};
  if (fd < 0 || ::fstat(fd, &file) != 0) return;
  if (static_cast<std::uint64_t>(file.st_size) < needed) {
    // The commit has happened: failing here would deny it. The next commit tries again.
    failpoints::pass("lmdb.before_lengthening");
    if (::ftruncate(fd, static_cast<off_t>(needed)) != 0) return;
    failpoints::pass("lmdb.after_lengthening");
  }
  whole_bytes_ = needed;
}

// -- The rest -------------------------------------------------------------------------------------

Status Environment::sync() {
  if (read_only()) return {};
  if (const int error = failed_sync_; error != 0) {
    return Status::io_error(
        fmt::format("syncing {}: an earlier sync failed ({}), and what it was to keep may be lost: "
                    "a backup to another device has it",
                    path_, mdb_strerror(error)));
  }
  int rc = failpoints::reach("lmdb.before_sync").ok() ? MDB_SUCCESS : EIO;
  MDB_txn* idle = gate_.enter(Stay::kShort);  // syncing reads the map's meta page
  if (map_.lost()) rc = EIO;
  if (rc == MDB_SUCCESS) rc = mdb_env_sync(env_, 1);
  gate_.leave(idle, true, Stay::kShort);
  if (rc != MDB_SUCCESS) failed_sync_ = rc;
  return disk_status(rc, "syncing", path_, 0);
}

Status Environment::copy_to(const std::string& file) {
  Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, options_.file_mode));
  if (out.get() < 0) return disk_status(errno, "making the copy", file, 0);
  int rc = copy_paced(out.get(), [&](int to) {
    MDB_txn* idle = gate_.enter(Stay::kLong);
    const int copied = map_.lost() ? EIO : mdb_env_copyfd2(env_, to, MDB_CP_COMPACT);
    gate_.leave(idle, true, Stay::kLong);
    return copied;
  });
  const int close_error = out.close();
  if (rc == MDB_SUCCESS) rc = close_error;
  return disk_status(rc, "copying the store", file, file_bytes());
}

int Environment::file_descriptor() const {
  int fd = -1;
  return !map_.lost() && mdb_env_get_fd(env_, &fd) == MDB_SUCCESS ? fd : -1;
}

std::uint64_t Environment::file_bytes() const {
  const int fd = file_descriptor();
  struct stat file {};
  if (fd < 0 || ::fstat(fd, &file) != 0) return 0;
  return static_cast<std::uint64_t>(file.st_size);
}

}  // namespace vicinal::persist
