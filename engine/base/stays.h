// Stays: what a thread is inside of, so that a call from a callback never waits for one that waits for it.
//
// Threads: each has its own. A thread that works for a call of another, which waits for it, goes on with
// the caller's (CallScope::Adopted): a filter on a helper is inside whatever the call is inside of.
#pragma once

#include <atomic>
#include <cstdint>

namespace vicinal::internal {

/// A thread's own, which no other thread ever has, and no later one, as std::thread::id may. From 1 on.
using ThreadNumber = std::uint64_t;

struct Stays {
  int callbacks = 0;           ///< of any call (CallbackScope)
  int callbacks_of_batch = 0;  ///< those of them whose call holds labels
  int moments = 0;             ///< of any graph (graph::Moment)
  ThreadNumber number = 0;     ///< 0: not asked for yet
  ThreadNumber caller = 0;     ///< whom the thread works for; 0: itself

  static Stays& of_thread() {
    static constinit thread_local Stays stays;  // searches come here: no guard to ask
    return stays;
  }
  /// The thread whose call this is.
  static ThreadNumber calling_thread() {
    static constinit std::atomic<ThreadNumber> last{0};
    Stays& stays = of_thread();
    if (stays.caller != 0) return stays.caller;
    if (stays.number == 0) stays.number = last.fetch_add(1, std::memory_order_relaxed) + 1;
    return stays.number;
  }
};

}  // namespace vicinal::internal
