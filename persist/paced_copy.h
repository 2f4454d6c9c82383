// write_paced(): a copy whose dirty pages hold up nobody's commits.
//
// A file written as fast as it can be leaves the system hundreds of megabytes to write back, and a
// commit's sync waits behind them. So a backup syncs what it has written every few megabytes.
// Threads: any.
#pragma once

#include <unistd.h>

#include <utility>

namespace vicinal::persist {

/// Owns a file descriptor; -1: none.
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

/// Reads the pipe `from` to its end, whatever happens, and writes what comes to `to`, the last of
/// it synced. Returns 0 or the errno of the first step that failed.
int write_paced(int from, int to) noexcept;

}  // namespace vicinal::persist
