// FileLock: one store, one opener.
//
// Two locks in one: a registry by device and inode in this process (LMDB cannot tell that a file is
// open twice, and closing one would lose the other's readers), and for writers an flock on
// vicinal.lock across processes. A reader shares that flock where it may not write LMDB's table of
// readers: no writer would know of it, and would write over what it reads. Everyone has vicinal.lock
// open: by that another copy of this library in this process is known.
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
  /// Takes the store in the existing folder `path`. `mode`: of the lock file, if it is made.
  /// Errors: kBusy  it is open in this process; for writing in another; for reading in another that may
  ///         not write its table of readers, or this one may not, and it is open for writing.
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
