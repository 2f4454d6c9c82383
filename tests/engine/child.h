// A child of fork(), for tests.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace vicinal::testing {

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
