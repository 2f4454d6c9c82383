// FileLock: one store, one opener.
//
// Two locks in one: a registry by device and inode in this process (LMDB cannot tell that a file is
// open twice, and closing one would lose the other's readers), and for writers an flock on
// vicinal.lock across processes.
// Ownership: the lock is given back with it.
// Threads: any. After fork() the child holds neither, and may open the store itself as any other
// process may; the lock file is closed by exec.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "vicinal/status.h"

namespace vicinal::persist {

class FileLock {
 public:
  /// Takes the store in the existing folder `path`. kBusy when it is open in this process, or, for
  /// writing, in another. `mode`: of the lock file, if it is made.
  static Result<FileLock> take(const std::string& path, bool read_only, std::uint32_t mode);

  FileLock() = default;
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  void release();

  bool held_ = false;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  int fd_ = -1;
};

}  // namespace vicinal::persist
