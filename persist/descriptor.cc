#include "persist/descriptor.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace vicinal::persist {

int Descriptor::close() {
  const int fd = std::exchange(fd_, -1);
  return fd < 0 || ::close(fd) == 0 ? 0 : errno;
}

ssize_t read_at(int fd, void* to, std::size_t bytes, off_t offset) {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t n = ::pread(fd, static_cast<std::byte*>(to) + done, bytes - done,
                              offset + static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return n;
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return static_cast<ssize_t>(done);
}

int write_all(int fd, const void* from, std::size_t bytes) {
  const auto* rest = static_cast<const std::byte*>(from);
  while (bytes > 0) {
    const ssize_t n = ::write(fd, rest, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    rest += n;
    bytes -= static_cast<std::size_t>(n);
  }
  return 0;
}

}  // namespace vicinal::persist
