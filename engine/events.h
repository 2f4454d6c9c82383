// Events: tells a store's owner what no call returns.
//
// Ownership: shared by the store and its indexes.
// Threads: any.
#pragma once

#include <utility>

#include "engine/callback.h"
#include "vicinal/event.h"

namespace vicinal::engine {

class Events {
 public:
  explicit Events(EventCallback callback) : callback_(std::move(callback)) {}

  /// Calls make() for the event, if anybody listens, and tells it. What fails on the way is left:
  /// an event is no reason to fail.
  template <typename Make>
  void tell(const Make& make) const noexcept {
    if (!callback_) return;
    try {
      const Event event = make();
      const CallbackScope scope(CallbackScope::Holds::kNothing);
      callback_(event);
    } catch (...) {
      // Out of memory for the words, or the callback's own.
    }
  }

 private:
  const EventCallback callback_;
};

}  // namespace vicinal::engine
