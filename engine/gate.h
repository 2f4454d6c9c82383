// Gate: lets calls in until it is closed, and lets the closer wait for those inside.
//
// Who goes through: every call that touches an index's records. Searches over vectors that are all
// in memory only ask closed().
// Threads: any. A call may enter again while it is inside (a callback that calls the index); it
// must not close then, and is told so. What is put off until it is outside: call_scope.h.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/base/mutex.h"
#include "engine/base/process.h"
#include "engine/call_scope.h"

namespace vicinal::engine {

class Gate {
 public:
  /// One visit; false when the gate was closed before it.
  class Pass {
   public:
    explicit Pass(Gate& gate)
        : gate_(gate), inside_(gate.enter()), scope_(inside_ ? &gate : nullptr) {}
    ~Pass() {
      if (inside_) gate_.leave();
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    explicit operator bool() const { return inside_; }

    /// Whether the calling thread is inside `gate`.
    static bool thread_is_inside(const Gate& gate) { return CallScope::inside(&gate); }

   private:
    Gate& gate_;
    const bool inside_;
    const CallScope scope_;  // ends after the body of ~Pass(), which leaves
  };

  /// `of_process`: what it guards does not pass over fork(): closed in a child.
  explicit Gate(bool of_process) : of_process_(of_process) {}

  bool closed() const { return closed_.load() || forked(); }
  /// Closed because this is a child.
  bool forked() const { return of_process_ && process_.left(); }

  /// Refuses new visits, then waits until nobody is inside. Not from inside: see
  /// Pass::thread_is_inside(). In a child it waits for nobody: they stayed behind.
  void close() {
    closed_.store(true);
    if (forked()) return;
    const internal::MutexLock lock(mutex_);
    while (inside_.load() != 0) left_.wait(mutex_);
  }

 private:
  bool enter() {
    // Counted before asking, so that close() either sees the visit or the visit sees closed_.
    inside_.fetch_add(1);
    if (!closed()) return true;
    leave();
    return false;
  }

  void leave() {
    if (inside_.fetch_sub(1) == 1 && closed_.load()) {
      const internal::MutexLock lock(mutex_);
      left_.notify_all();
    }
  }

  const internal::OwnProcess process_;
  const bool of_process_;
  std::atomic<bool> closed_{false};
  internal::Mutex mutex_;
  internal::CondVar left_;
  std::atomic<std::uint64_t> inside_{0};
};

}  // namespace vicinal::engine
