#include "persist/paced_copy.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <future>
#include <system_error>

#include "engine/base/signals.h"
#include "persist/descriptor.h"

namespace vicinal::persist {
namespace {

// A commit that comes between waits for one of these, some milliseconds.
constexpr std::size_t kSyncedAtOnce = 2 << 20;

/// Two sockets, one for each end: unlike a pipe's, their end is told even where a forked child still
/// holds them.
class Ends {
 public:
  Ends() {
    error_ = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()) == 0 ? 0 : errno;
  }
  ~Ends() {
    if (error_ != 0) return;
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;

  int error() const { return error_; }
  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  /// Nothing more comes.
  void finish() const { (void)::shutdown(ends_[1], SHUT_WR); }

 private:
  std::array<int, 2> ends_{};
  int error_ = 0;
};

/// Brings what comes to `to`; where that fails, nothing more is taken.
int write_paced(int from, int to) noexcept {
  std::array<std::byte, 64 << 10> buffer;
  int error = 0;
  for (std::size_t unsynced = 0; error == 0;) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = errno;
    if (got <= 0) break;
    error = write_all(to, buffer.data(), static_cast<std::size_t>(got));
    unsynced += static_cast<std::size_t>(got);
    if (error != 0 || unsynced < kSyncedAtOnce) continue;
    if (::fdatasync(to) != 0) error = errno;
    unsynced = 0;
  }
  if (error == 0 && ::fsync(to) != 0) error = errno;
  if (error != 0) (void)::shutdown(from, SHUT_RDWR);
  return error;
}

}  // namespace

int copy_paced(int to, const std::function<int(int fd)>& produce) {
  // A handler on this thread, or on the one that writes, would interrupt a write.
  const internal::BlockedSignals blocked;
  const Ends ends;
  if (ends.error() != 0) return ends.error();
  std::future<int> written;
  try {
    written = std::async(std::launch::async, write_paced, ends.reading(), to);
  } catch (const std::system_error&) {
    return ENOMEM;  // no thread
  }
  int produced = 0;
  try {
    produced = produce(ends.writing());
  } catch (...) {
    ends.finish();
    written.wait();
    throw;
  }
  ends.finish();
  const int error = written.get();
  return error != 0 ? error : produced;
}

}  // namespace vicinal::persist
