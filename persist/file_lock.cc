#include "persist/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "engine/base/mutex.h"
#include "persist/format.h"

namespace vicinal::persist {
namespace {

struct Registry {
  internal::Mutex mutex;
  std::set<std::pair<dev_t, ino_t>> open VICINAL_GUARDED_BY(mutex);
};

Registry& registry() {
  static auto* instance = new Registry;  // outlives every static StoreFile
  return *instance;
}

}  // namespace

Result<FileLock> FileLock::take(const std::string& path, bool read_only) {
  struct stat folder {};
  if (::stat(path.c_str(), &folder) != 0) {
    return Status::io_error(fmt::format("{}: {}", path, std::strerror(errno)));
  }
  FileLock lock;
  {
    Registry& r = registry();
    const internal::MutexLock guard(r.mutex);
    if (!r.open.emplace(folder.st_dev, folder.st_ino).second) {
      return Status::busy(fmt::format("{} is open in this process already", path));
    }
  }
  lock.held_ = true;
  lock.device_ = folder.st_dev;
  lock.inode_ = folder.st_ino;
  if (read_only) return lock;
  const std::string file = path + "/" + kWriterLockFile;
  lock.fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock.fd_ < 0) {
    return Status::io_error(fmt::format("{}: {}", file, std::strerror(errno)));
  }
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error == EWOULDBLOCK) {
      return Status::busy(fmt::format("{} is open for writing in another process", path));
    }
    return Status::io_error(fmt::format("locking {}: {}", file, std::strerror(error)));
  }
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
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  if (!std::exchange(held_, false)) return;
  Registry& r = registry();
  const internal::MutexLock guard(r.mutex);
  r.open.erase({device_, inode_});
}

}  // namespace vicinal::persist
