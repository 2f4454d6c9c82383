// Stays: what a thread is inside of, so that a call from a callback never waits for one that waits for it.
//
// Threads: each has its own. A thread that works for a call of another, which waits for it, goes on with
// the caller's (CallScope::Adopted): a filter on a helper is inside whatever the call is inside of.
#pragma once

#include <thread>

namespace vicinal::internal {

struct Stays {
  int callbacks = 0;           ///< of any call (CallbackScope)
  int callbacks_of_batch = 0;  ///< those of them whose call holds labels
  int moments = 0;             ///< of any graph (graph::Moment)
  std::thread::id caller;      ///< whom the thread works for; none: itself

  static Stays& of_thread() {
    thread_local Stays stays;
    return stays;
  }
  /// The thread whose call this is.
  static std::thread::id calling_thread() {
    const std::thread::id caller = of_thread().caller;
    return caller == std::thread::id() ? std::this_thread::get_id() : caller;
  }
};

}  // namespace vicinal::internal
