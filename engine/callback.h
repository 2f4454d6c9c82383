// CallbackScope: says that this thread runs a caller's callback (a filter, a visitor, a progress
// callback), so that a call made from inside never waits for the call that it came from.
//
// Rules: inside a callback nobody waits for a turn at maintenance or for a rebuild; inside one of a
// call that holds labels (a batch) nobody waits for labels either: two batches whose callbacks
// write each other's labels would wait for ever. Such calls are refused with kBusy. Who is inside a
// moment of the graph (a filter) does not wait for readers (graph::Moment::thread_is_inside()).
// Threads: each thread has its own scopes.
#pragma once

namespace vicinal::engine {

class CallbackScope {
 public:
  /// Whether the call that the callback belongs to holds labels.
  enum class Holds : bool { kNothing, kLabels };

  explicit CallbackScope(Holds holds) : labels_(holds == Holds::kLabels ? 1 : 0) {
    ++depth();
    label_depth() += labels_;
  }
  ~CallbackScope() {
    --depth();
    label_depth() -= labels_;
  }
  CallbackScope(const CallbackScope&) = delete;
  CallbackScope& operator=(const CallbackScope&) = delete;

  static bool active() { return depth() > 0; }
  static bool holds_labels() { return label_depth() > 0; }

 private:
  static int& depth() {
    thread_local int scopes = 0;
    return scopes;
  }
  static int& label_depth() {
    thread_local int scopes = 0;
    return scopes;
  }

  const int labels_;
};

}  // namespace vicinal::engine
