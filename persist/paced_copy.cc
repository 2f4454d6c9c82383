#include "persist/paced_copy.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace vicinal::persist {
namespace {

// A commit that comes between waits for one of these, some milliseconds.
constexpr std::size_t kSyncedAtOnce = 2 << 20;

int write_all(int fd, const std::byte* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t written = ::write(fd, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes += written;
    count -= static_cast<std::size_t>(written);
  }
  return 0;
}

}  // namespace

int write_paced(int from, int to) noexcept {
  std::array<std::byte, 64 << 10> buffer;
  int error = 0;
  std::size_t unsynced = 0;
  for (;;) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error != 0 ? error : errno;
    if (got == 0) break;
    if (error != 0) continue;  // whoever writes into the pipe must come to his end
    error = write_all(to, buffer.data(), static_cast<std::size_t>(got));
    unsynced += static_cast<std::size_t>(got);
    if (error != 0 || unsynced < kSyncedAtOnce) continue;
    if (::fdatasync(to) != 0) error = errno;
    unsynced = 0;
  }
  if (error == 0 && ::fsync(to) != 0) error = errno;
  return error;
}

}  // namespace vicinal::persist
