// CallbackScope: says that this thread runs a caller's callback (a filter, a visitor, a progress
// callback), so that a call made from inside never waits for the call that it came from.
//
// Rules: inside a callback nobody waits for a turn at maintenance or for a rebuild; inside one of a
// call that holds labels (a batch) nobody waits for labels either: two batches whose callbacks
// write each other's labels would wait for ever. Such calls are refused with kBusy. Who is inside a
// moment of the graph (a filter) does not wait for readers (graph::Moment::thread_is_inside()).
// Threads: each thread has its own scopes (Stays).
#pragma once

#include "engine/base/stays.h"

namespace vicinal::engine {

class CallbackScope {
 public:
  /// Whether the call that the callback belongs to holds labels.
  enum class Holds : bool { kNothing, kLabels };

  explicit CallbackScope(Holds holds) : labels_(holds == Holds::kLabels ? 1 : 0) {
    internal::Stays& stays = internal::Stays::of_thread();
    ++stays.callbacks;
    stays.callbacks_of_batch += labels_;
  }
  ~CallbackScope() {
    internal::Stays& stays = internal::Stays::of_thread();
    --stays.callbacks;
    stays.callbacks_of_batch -= labels_;
  }
  CallbackScope(const CallbackScope&) = delete;
  CallbackScope& operator=(const CallbackScope&) = delete;

  static bool active() { return internal::Stays::of_thread().callbacks > 0; }
  static bool holds_labels() { return internal::Stays::of_thread().callbacks_of_batch > 0; }

 private:
  const int labels_;
};

}  // namespace vicinal::engine
