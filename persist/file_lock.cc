#include "persist/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "engine/base/mutex.h"
#include "engine/base/process.h"
#include "persist/folder_entries.h"
#include "persist/format.h"

namespace vicinal::persist {
namespace {

struct Registry {
  internal::Mutex mutex;
  /// To the lock's descriptor, or -1.
  std::map<std::pair<dev_t, ino_t>, int> open VICINAL_GUARDED_BY(mutex);
};

Registry& registry();

// A child has none of its parent's stores. With the descriptors closed it does not keep the locks
// of a parent that has died.
// Locked before the fork, given back on both sides of it.
void before_fork() VICINAL_NO_THREAD_SAFETY_ANALYSIS { registry().mutex.lock(); }
void in_parent() VICINAL_NO_THREAD_SAFETY_ANALYSIS { registry().mutex.unlock(); }
void in_child() VICINAL_NO_THREAD_SAFETY_ANALYSIS {
  Registry& r = registry();
  for (const auto& entry : r.open) {
    if (entry.second >= 0) ::close(entry.second);
  }
  r.open.clear();
  r.mutex.unlock();
}

Registry& registry() {
  static constinit std::atomic<Registry*> place{nullptr};
  return internal::first_made(place, [] { return std::make_unique<Registry>(); });
}

/// As the program begins: once, while one thread is there.
[[maybe_unused]] const int kRegistered = ::pthread_atfork(before_fork, in_parent, in_child);

/// Whether this process has the file of `fd` open a second time: by a copy of this library that has
/// a registry of its own.
bool open_here_too(int fd) {
  struct stat wanted {};
  if (::fstat(fd, &wanted) != 0) return false;
  const std::string own = std::to_string(fd);
  FolderEntries descriptors("/proc/self/fd");
  while (const char* const number = descriptors.next()) {
    struct stat info {};
    if (number == own || ::fstatat(descriptors.descriptor(), number, &info, 0) != 0) continue;
    if (info.st_dev == wanted.st_dev && info.st_ino == wanted.st_ino) return true;
  }
  return false;
}

/// Whether LMDB can write its table of readers, or make it.
bool may_enter_table(const std::string& path) {
  const std::string table = path + "/" + kLmdbLockFile;
  if (::faccessat(AT_FDCWD, table.c_str(), W_OK, AT_EACCESS) == 0) return true;
  return errno == ENOENT && ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

Status lock_file(int fd, const std::string& path, bool shared) {
  if (::flock(fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) {
    return Status::io_error(
        fmt::format("locking {}/{}: {}", path, kWriterLockFile, std::strerror(errno)));
  }
  if (shared) {
    return Status::busy(
        fmt::format("{} is open for writing in another process, which would not know of this "
                    "reader: {} cannot be "
                    "written from here",
                    path, kLmdbLockFile));
  }
  const bool by_reader = ::flock(fd, LOCK_SH | LOCK_NB) == 0;
  return Status::busy(
      fmt::format("{} is open for {} in another process", path,
                  by_reader ? "reading, without a place in the table of readers," : "writing"));
}

}  // namespace

Result<FileLock> FileLock::take(const std::string& path, bool read_only, std::uint32_t mode) {
  struct stat folder {};
  if (::stat(path.c_str(), &folder) != 0) {
    return Status::io_error(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  FileLock lock;
  {
    Registry& r = registry();
    const internal::MutexLock guard(r.mutex);
    if (!r.open.emplace(std::pair(folder.st_dev, folder.st_ino), -1).second) {
      return Status::busy(fmt::format("{} is open in this process already", path));
    }
  }
  lock.held_ = true;
  lock.device_ = folder.st_dev;
  lock.inode_ = folder.st_ino;
  const std::string file = path + "/" + kWriterLockFile;
  lock.fd_ = read_only ? ::open(file.c_str(), O_RDONLY | O_CLOEXEC)
                       : ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, mode);
  if (lock.fd_ < 0) {
    // A store that was never written to, or a file that others may not read: nobody can be asked.
    if (read_only && (errno == ENOENT || errno == EACCES)) return lock;
    return Status::io_error(fmt::format("{}: {}", file, std::strerror(errno)));
  }
  // Who looks at the mark in it has it open for a moment.
  for (int tries = 0; open_here_too(lock.fd_); ++tries) {
    constexpr int kMostTries = 5;
    constexpr std::chrono::milliseconds kBetweenTries{2};
    if (tries < kMostTries) {
      std::this_thread::sleep_for(kBetweenTries);
      continue;
    }
    return Status::busy(
        fmt::format("{} is open in this process, by another copy of this library", path));
  }
  if (!read_only || !may_enter_table(path)) {
    if (Status s = lock_file(lock.fd_, path, read_only); !s.ok()) return s;
  }
  Registry& r = registry();
  const internal::MutexLock guard(r.mutex);
  r.open[{folder.st_dev, folder.st_ino}] = lock.fd_;
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept
    : held_(std::exchange(other.held_, false)),
      device_(other.device_),
      inode_(other.inode_),
      fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) {
    release();
    held_ = std::exchange(other.held_, false);
    device_ = other.device_;
    inode_ = other.inode_;
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

FileLock::~FileLock() { release(); }

void FileLock::release() {
  if (!std::exchange(held_, false)) return;
  Registry& r = registry();
  const internal::MutexLock guard(r.mutex);
  r.open.erase({device_, inode_});
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace vicinal::persist
