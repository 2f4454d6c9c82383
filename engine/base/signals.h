// BlockedSignals, and threads of the library's own, which leave signals to their host's.
//
// Why: handlers expect the threads that their host knows of; and who blocks a signal in all of those, to
// wait for it by sigwait() or signalfd(), would lose it to one that the host never began.
// Threads: a mask is its thread's.
#pragma once

#include <pthread.h>

#include <csignal>
#include <initializer_list>
#include <thread>
#include <utility>

namespace vicinal::internal {

/// All signals `but` some, on this thread and on those that it begins meanwhile.
class BlockedSignals {
 public:
  explicit BlockedSignals(std::initializer_list<int> but = {}) {
    ::sigset_t blocked;
    ::sigfillset(&blocked);
    for (const int signal : but) ::sigdelset(&blocked, signal);
    (void)::pthread_sigmask(SIG_BLOCK, &blocked, &before_);
  }
  ~BlockedSignals() { (void)::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  ::sigset_t before_{};
};

/// Left open are those that a fault of the thread itself raises, and SIGPROF, by which profilers see it.
/// Errors: as std::thread's.
template <typename Work>
std::thread thread_without_signals(Work&& work) {
  const BlockedSignals blocked(
      {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF});
  return std::thread(std::forward<Work>(work));
}

}  // namespace vicinal::internal
