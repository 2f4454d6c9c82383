// Children of fork(), for tests.
//
// What: they end with the process that made them. Whoever outlives a test that crashed keeps its output
// open, and ctest, which waits for that, calls it a timeout.
#pragma once

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <functional>

namespace vicinal::testing {

/// Whether a child may allocate where threads of its parent did so at the fork: a sanitizer's allocator
/// stays locked in the child by a thread that had it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kForksBesideThreads = false;
#else
inline constexpr bool kForksBesideThreads = true;
#endif

/// fork() by a thread that lives as long as the child is to.
inline pid_t fork_child() {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) ::_exit(1);
  return child;
}

/// Runs `body` in a child, which ends by it or, after so many seconds, is killed: its answer, or 128 and the
/// signal that ended it.
inline int in_child(const std::function<int()>& body, unsigned seconds = 60) {
  const pid_t child = fork_child();
  if (child == 0) {
    ::alarm(seconds);  // a call that hangs ends it
    ::_exit(body());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// A child that works beside the test until it is killed, at the latest at the end of this.
class Child {
 public:
  explicit Child(const std::function<void()>& work) : pid_(fork_child()) {
    if (pid_ != 0) return;
    work();
    ::_exit(1);
  }
  ~Child() { kill(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool runs() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_;
};

/// A child that does `work`, says with a byte what came of it, and lives until it is killed.
class Speaker {
 public:
  explicit Speaker(const std::function<char()>& work)
      : child_([&] {
          const char byte = work();
          if (::write(said_.ends[1], &byte, 1) == 1) ::pause();
        }) {
    ::close(said_.ends[1]);  // who ends without a word is not waited for
    if (::read(said_.ends[0], &byte_, 1) != 1) byte_ = '?';
    ::close(said_.ends[0]);
  }

  char said() const { return byte_; }
  void kill() { child_.kill(); }

 private:
  struct Pipe {
    std::array<int, 2> ends{-1, -1};
    Pipe() { static_cast<void>(::pipe(ends.data())); }
  };

  Pipe said_;
  char byte_ = '?';
  Child child_;
};

}  // namespace vicinal::testing
