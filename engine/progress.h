// Reporter: a caller's ProgressCallback behind a throttle, so that inner loops may report as often
// as they like.
//
// Threads: any; made by the thread of the call, which it does not outlive. The callback is called by
// one thread at a time, inside a CallbackScope and inside the call (CallScope). Once it has
// asked to stop, every later call answers stop without asking again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <utility>

#include "engine/base/mutex.h"
#include "engine/call_scope.h"
#include "engine/callback.h"
#include "vicinal/options.h"

namespace vicinal::engine {

class Reporter {
 public:
  Reporter(ProgressCallback callback, const char* phase,
           CallbackScope::Holds holds = CallbackScope::Holds::kNothing)
      : callback_(std::move(callback)), phase_(phase), holds_(holds) {}

  /// False: stop.
  bool operator()(std::uint64_t done, std::uint64_t total) {
    if (!callback_) return true;
    if (cancelled_.load(std::memory_order_relaxed)) return false;
    if (!mutex_.try_lock()) return true;
    const internal::MutexLock lock(mutex_, std::adopt_lock);
    const auto now = std::chrono::steady_clock::now();
    if (done < total && now < next_) return true;
    next_ = now + std::chrono::milliseconds(200);
    const CallScope::Adopted call(call_);
    const CallbackScope scope(holds_);
    if (!callback_({phase_, done, total})) cancelled_.store(true);
    return !cancelled_.load();
  }

  bool cancelled() const { return cancelled_.load(); }

 private:
  const ProgressCallback callback_;
  const char* const phase_;
  const CallbackScope::Holds holds_;
  CallScope* const call_ = CallScope::current();  ///< which lasts longer than this
  internal::Mutex mutex_;
  std::chrono::steady_clock::time_point next_ VICINAL_GUARDED_BY(mutex_){};
  std::atomic<bool> cancelled_{false};
};

}  // namespace vicinal::engine
