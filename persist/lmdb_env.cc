#include "persist/lmdb_env.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <lmdb.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "engine/base/check.h"
#include "persist/descriptor.h"
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
Status reserve_lock_file(const std::string& folder) {
  const std::string path = folder + "/" + kLmdbLockFile;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
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

}  // namespace

// -- Opening and closing --------------------------------------------------------------------------

Result<std::unique_ptr<Environment>> Environment::open(const std::string& path,
                                                       const EnvironmentOptions& options) {
  std::unique_ptr<Environment> environment(new Environment(options));
  Status status;
  if (options.map_bytes != 0) {
    status = environment->open_env(path, std::max(options.map_bytes, kSmallestMap));
  } else {
    for (const std::uint64_t size : kMapSizes) {
      std::uint64_t bytes = size;
      if (options.max_map_bytes != 0) bytes = std::min(bytes, options.max_map_bytes);
      status = environment->open_env(path, std::max(bytes, kSmallestMap));
      // Only a refused mapping is worth another try.
      if (status.code() != StatusCode::kFull) break;
    }
  }
  if (!status.ok()) return status;
  return environment;
}

Status Environment::open_env(const std::string& path, std::uint64_t map_bytes) {
  if (options_.max_map_bytes != 0) map_bytes = std::min(map_bytes, options_.max_map_bytes);
  path_ = path;
  if (Status s = reserve_lock_file(path); !s.ok()) return s;
  int rc = mdb_env_create(&env_);
  if (rc != MDB_SUCCESS) return lmdb_status(rc, "making an LMDB environment");
  unsigned flags = MDB_NOTLS;
  if (options_.read_only) flags |= MDB_RDONLY;
  if (options_.durability == Durability::kRelaxed) flags |= MDB_NOMETASYNC;
  if (options_.durability == Durability::kNone) flags |= MDB_NOSYNC;
  if (rc == MDB_SUCCESS) rc = mdb_env_set_maxdbs(env_, options_.databases);
  if (rc == MDB_SUCCESS) rc = mdb_env_set_maxreaders(env_, kReaderSlots);
  if (rc == MDB_SUCCESS) rc = mdb_env_set_mapsize(env_, map_bytes);
  if (rc == MDB_SUCCESS) rc = mdb_env_open(env_, path.c_str(), flags, 0644);
  if (rc == EACCES && options_.read_only) {
    // A folder in which lock.mdb cannot be made: read without a lock table. LMDB itself does so on
    // a read-only file system.
    mdb_env_close(std::exchange(env_, nullptr));
    rc = mdb_env_create(&env_);
    if (rc == MDB_SUCCESS) rc = mdb_env_set_maxdbs(env_, options_.databases);
    if (rc == MDB_SUCCESS) rc = mdb_env_set_mapsize(env_, map_bytes);
    if (rc == MDB_SUCCESS) rc = mdb_env_open(env_, path.c_str(), flags | MDB_NOLOCK, 0644);
  }
  if (rc != MDB_SUCCESS) {
    close_env();
    const std::string what = fmt::format("opening the environment at {}", path);
    if (rc == ENOMEM) {
      return Status::full(
          fmt::format("{}: no address space for a map of {} bytes", what, map_bytes));
    }
    return lmdb_status(rc, what.c_str());
  }
  (void)mdb_reader_check(env_,
                         &stale_readers_);  // slots of killed readers would pin old pages for ever
  MDB_stat stat{};
  (void)mdb_env_stat(env_, &stat);
  page_size_ = stat.ms_psize;
  return {};
}

void Environment::close_env() {
  if (env_ == nullptr) return;
  gate_.drop_idle();
  mdb_env_close(std::exchange(env_, nullptr));
}

Environment::~Environment() {
  VICINAL_CHECK(gate_.empty());
  if (map_lost_) return;  // closing would touch the map that is gone
  close_env();
}

// -- Reading --------------------------------------------------------------------------------------

Result<ReadTransaction> Environment::read() {
  for (int attempt = 0;; ++attempt) {
    MDB_txn* txn = gate_.enter();
    int rc = EIO;
    if (!map_lost_) {
      rc = txn != nullptr ? mdb_txn_renew(txn) : mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
    }
    if (rc == MDB_SUCCESS) return ReadTransaction(this, &gate_, txn);
    gate_.leave(txn, false);
    if (rc != MDB_MAP_RESIZED || attempt == 8) return lmdb_status(rc, "beginning to read");
    // Another process grew the file beyond this map.
    const std::lock_guard write_lock(write_mutex_);
    const ReaderGate::Closed closed(gate_);
    if (Status status = adopt_map_size(); !status.ok()) return status;
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

Status Environment::write(const Closure& closure) {
  if (read_only()) return Status::read_only("the store was opened for reading");
  const std::lock_guard lock(write_mutex_);
  return write_locked(closure);
}

// LMDB lets handles be opened beside other transactions, by one transaction at a time.
Status Environment::with_handles(const Closure& closure) {
  const std::lock_guard lock(handles_mutex_);
  if (!read_only()) return write(closure);
  Result<ReadTransaction> transaction = read();
  if (!transaction) return transaction.status();
  if (Status s = closure(**transaction); !s.ok()) return s;
  return transaction->keep_handles();
}

Status Environment::write_locked(const Closure& closure) {
  for (;;) {
    MDB_txn* txn = nullptr;
    int rc = map_lost_ ? EIO : mdb_txn_begin(env_, nullptr, 0, &txn);
    if (rc != MDB_SUCCESS) return lmdb_status(rc, "beginning a write transaction");
    Transaction transaction(this, txn);
    Status status = call(closure, transaction);
    if (status.ok() && !transaction.map_full()) {
      rc = mdb_txn_commit(txn);
      if (rc == MDB_SUCCESS) {
        commits_.fetch_add(1, std::memory_order_relaxed);
        return keep_file_whole();
      }
      status = transaction.failed(rc, "committing");
    } else {
      mdb_txn_abort(txn);
    }
    if (!transaction.map_full()) return status;
    if (Status grown = grow(); !grown.ok()) return grown;
  }
}

Status Environment::grow() {
  const std::uint64_t now = map_bytes();
  const std::uint64_t limit = options_.max_map_bytes;
  if (limit != 0 && now + page_size_ > limit) {
    return Status::full(fmt::format(
        "the store needs more than its limit: map {} bytes, max_map_bytes {}", now, limit));
  }
  const ReaderGate::Closed closed(gate_);
  return set_map(now * 2);
}

Status Environment::set_map(std::uint64_t bytes) {
  if (options_.max_map_bytes != 0) bytes = std::min(bytes, options_.max_map_bytes);
  bytes -= bytes % page_size_;
  const std::uint64_t now = map_bytes();
  if (bytes <= now) {
    return Status::full(fmt::format("the map has {} bytes and may not grow: max_map_bytes {}", now,
                                    options_.max_map_bytes));
  }
  // LMDB unmaps first and maps then: were the second step refused, the environment would be lost.
  // So ask for the difference beforehand.
  void* probe =
      ::mmap(nullptr, bytes - now, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (probe == MAP_FAILED) {
    return Status::full(
        fmt::format("no address space to grow the map from {} to {} bytes", now, bytes));
  }
  ::munmap(probe, bytes - now);
  const int rc = mdb_env_set_mapsize(env_, bytes);
  if (rc != MDB_SUCCESS) {
    map_lost_ = true;
  } else if (map_ != nullptr) {
    learn_map();
  }
  return lmdb_status(rc, "growing the map");
}

Status Environment::adopt_map_size() {
  if (map_lost_) return Status::io_error("the map is lost");
  const int rc = mdb_env_set_mapsize(env_, 0);
  if (rc != MDB_SUCCESS) {
    map_lost_ = true;
  } else if (map_ != nullptr) {
    learn_map();
  }
  return lmdb_status(rc, "adopting the map size of another process");
}

// Pages that a transaction took from the end of the file and gave back before its commit are never
// written, so LMDB's file can be shorter than its last page says. Lengthening it keeps N2.
Status Environment::keep_file_whole() {
  MDB_envinfo info{};
  (void)mdb_env_info(env_, &info);
  const std::uint64_t needed = (std::uint64_t{info.me_last_pgno} + 1) * page_size_;
  if (needed <= whole_bytes_) return {};
  const int fd = file_descriptor();
  struct stat file {};
  if (fd < 0 || ::fstat(fd, &file) != 0) return {};
  if (static_cast<std::uint64_t>(file.st_size) < needed) {
    // The commit has happened: failing here would deny it. The next commit tries again.
    if (::ftruncate(fd, static_cast<off_t>(needed)) != 0) return {};
  }
  whole_bytes_ = needed;
  return {};
}

// A key lies in its leaf, whose first number says which page of the file it is.
void Environment::learn_map() {
  map_ = nullptr;
  MDB_txn* txn = nullptr;
  if (mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn) != MDB_SUCCESS) return;
  MDB_dbi names = 0;
  MDB_cursor* cursor = nullptr;
  MDB_val key{};
  MDB_val value{};
  if (mdb_dbi_open(txn, nullptr, 0, &names) == MDB_SUCCESS &&
      mdb_cursor_open(txn, names, &cursor) == MDB_SUCCESS &&
      mdb_cursor_get(cursor, &key, &value, MDB_FIRST) == MDB_SUCCESS) {
    const auto* const bytes = static_cast<const std::byte*>(key.mv_data);
    const std::byte* const leaf = bytes - reinterpret_cast<std::uintptr_t>(bytes) % page_size_;
    std::uint64_t number = 0;
    std::memcpy(&number, leaf, sizeof number);
    map_ = leaf - number * page_size_;
  }
  if (cursor != nullptr) mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
}

// -- The rest -------------------------------------------------------------------------------------

Status Environment::sync() {
  if (read_only()) return {};
  MDB_txn* idle = gate_.enter();  // syncing reads the map's meta page
  const int rc = map_lost_ ? EIO : mdb_env_sync(env_, 1);
  gate_.leave(idle, true);
  return lmdb_status(rc, "syncing");
}

Status Environment::copy_to(const std::string& file) {
  Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (out.get() < 0) return lmdb_status(errno, fmt::format("making {}", file).c_str());
  int rc = copy_paced(out.get(), [&](int to) {
    MDB_txn* idle = gate_.enter();
    const int copied = map_lost_ ? EIO : mdb_env_copyfd2(env_, to, MDB_CP_COMPACT);
    gate_.leave(idle, true);
    return copied;
  });
  const int close_error = out.close();
  if (rc == MDB_SUCCESS) rc = close_error;
  return lmdb_status(rc, fmt::format("copying the store to {}", file).c_str());
}

std::uint64_t Environment::map_bytes() {
  MDB_envinfo info{};
  (void)mdb_env_info(env_, &info);
  return info.me_mapsize;
}

int Environment::file_descriptor() const {
  int fd = -1;
  return !map_lost_ && mdb_env_get_fd(env_, &fd) == MDB_SUCCESS ? fd : -1;
}

std::uint64_t Environment::file_bytes() const {
  const int fd = file_descriptor();
  struct stat file {};
  if (fd < 0 || ::fstat(fd, &file) != 0) return 0;
  return static_cast<std::uint64_t>(file.st_size);
}

}  // namespace vicinal::persist
