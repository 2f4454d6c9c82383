// Descriptor: a file descriptor that is closed.
//
// Ownership: owns it; -1: none.
// Threads: one at a time.
#pragma once

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

}  // namespace vicinal::persist
