// Stays: what a thread is inside of, so that a call from a callback never waits for one that waits for it.
//
// Threads: each has its own. A thread that works for a call of another, which waits for it, goes on with
// the caller's (CallScope::Adopted): a filter on a helper is inside whatever the call is inside of.
#pragma once

#include <thread>

namespace vicinal::internal {

struct Stays {
  int callbacks = 0;                        ///< of any call (CallbackScope)
  int callbacks_of_batch = 0;               ///< those of them whose call holds labels
  int moments = 0;                          ///< of any graph (graph::Moment)
  const std::thread::id* caller = nullptr;  ///< whom the thread works for; null: itself

  static Stays& of_thread() {
    static constinit thread_local Stays stays;  // searches come here: no guard to ask
    return stays;
  }
  /// The thread whose call this is.
  static std::thread::id calling_thread() {
    const std::thread::id* const caller = of_thread().caller;
    return caller == nullptr ? std::this_thread::get_id() : *caller;
  }
};

}  // namespace vicinal::internal
