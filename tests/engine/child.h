// A child of fork(), for tests.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace vicinal::testing {

/// Whether a child may allocate where threads of its parent did so at the fork: a sanitizer's allocator
/// stays locked in the child by a thread that had it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kForksBesideThreads = false;
#else
inline constexpr bool kForksBesideThreads = true;
#endif

/// Runs `body` in a child, which ends by it or is killed: its answer, or 128 and the signal that ended it.
inline int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);  // a call that hangs ends it
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace vicinal::testing
