// Reporter: a caller's ProgressCallback behind a throttle, so that inner loops may report as often
// as they like, what they like.
//
// What: one phase of one call. What is told never falls and stays within its total, which may grow;
// the first report is told, then one every kBetween at most, and finish() that all is done.
// Threads: any; made by the thread of the call, which it does not outlive. The callback is called by
// one thread at a time, inside a CallbackScope and inside the call (CallScope). Once it has
// asked to stop, every later call answers stop without asking again.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>
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

  /// `done` of `total` units. False: stop.
  bool operator()(std::uint64_t done, std::uint64_t total) { return part({}, done, total); }

  /// The same of a part of the phase, which follows on those before it. `name` outlives this.
  bool part(std::string_view name, std::uint64_t done, std::uint64_t total) {
    if (!callback_) return true;
    if (cancelled_.load(std::memory_order_relaxed)) return false;
    if (!mutex_.try_lock()) return true;
    const internal::MutexLock lock(mutex_, std::adopt_lock);
    if (name != part_) {
      part_ = name;
      before_part_ = total_;
    }
    done_ = std::max(done_, before_part_ + done);
    total_ = std::max({total_, before_part_ + total, done_});
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return true;
    next_ = now + kBetween;
    if (!tell()) cancelled_.store(true);
    return !cancelled_.load();
  }

  /// All is done: said once, if there was anything to do. It is too late to stop.
  void finish() {
    if (!callback_ || cancelled_.load()) return;
    const internal::MutexLock lock(mutex_);
    done_ = total_;
    if (told_ != total_) static_cast<void>(tell());
  }

  bool cancelled() const { return cancelled_.load(); }

 private:
  static constexpr std::chrono::milliseconds kBetween{200};

  bool tell() VICINAL_REQUIRES(mutex_) {
    const CallScope::Adopted call(call_);
    const CallbackScope scope(holds_);
    told_ = done_;
    return callback_({phase_, done_, total_});
  }

  const ProgressCallback callback_;
  const char* const phase_;
  const CallbackScope::Holds holds_;
  const CallScope::Caller call_;
  internal::Mutex mutex_;
  std::string_view part_ VICINAL_GUARDED_BY(mutex_);
  std::uint64_t before_part_ VICINAL_GUARDED_BY(mutex_) = 0;
  std::uint64_t done_ VICINAL_GUARDED_BY(mutex_) = 0;
  std::uint64_t total_ VICINAL_GUARDED_BY(mutex_) = 0;
  std::uint64_t told_ VICINAL_GUARDED_BY(mutex_) = 0;
  std::chrono::steady_clock::time_point next_ VICINAL_GUARDED_BY(mutex_){};
  std::atomic<bool> cancelled_{false};
};

}  // namespace vicinal::engine
