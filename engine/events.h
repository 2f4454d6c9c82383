// tell(): a store's owner learns what no call returns.
// Threads: any.
#pragma once

#include "engine/callback.h"
#include "vicinal/event.h"

namespace vicinal::engine {

/// Calls make() for an event, if anybody listens, and tells it. What fails on the way is left: an
/// event is no reason to fail.
template <typename Make>
void tell(const EventCallback& callback, const Make& make) noexcept {
  if (!callback) return;
  try {
    const Event event = make();
    const CallbackScope scope(CallbackScope::Holds::kNothing);
    callback(event);
  } catch (...) {
    // Out of memory for the words, or the callback's own.
  }
}

}  // namespace vicinal::engine
