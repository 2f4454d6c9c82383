// Descriptor: a file descriptor that is closed; reading and writing through one to the end.
//
// Ownership: owns it; -1: none.
// Threads: one at a time.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace vicinal::persist {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { (void)close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  /// 0, or errno. No effect on one that owns nothing.
  int close();

 private:
  int fd_ = -1;
};

/// As pread(), but fewer bytes than asked for are the file's last: interrupted and short reads go on.
ssize_t read_at(int fd, void* to, std::size_t bytes, off_t offset);
/// All of it, or errno.
int write_all(int fd, const void* from, std::size_t bytes);

}  // namespace vicinal::persist
