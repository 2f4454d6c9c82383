// LinkGate: many linkers, or one that changes what all of them rely on.
//
// What: a shared mutex whose exclusive side is not starved: while it waits, newcomers wait behind
// it. Held shared for the length of one link, one plan of links or one round of a batch; alone for
// a rebuild's swap and for the moment in which a repair pass condemns its tombstones: what was
// planned before is void then. Threads: any. Meets the requirements of std::unique_lock and
// std::shared_lock.
#pragma once

#include <cstdint>
#include <mutex>
#include <shared_mutex>

namespace vicinal::graph {

class LinkGate {
 public:
  void lock() {
    const std::lock_guard turn(turnstile_);
    mutex_.lock();
    ++times_alone_;
  }
  /// lock(), for a look that changes nothing, unless somebody is inside or waits.
  bool try_lock() {
    const std::unique_lock turn(turnstile_, std::try_to_lock);
    return turn.owns_lock() && mutex_.try_lock();
  }
  void unlock() { mutex_.unlock(); }
  void lock_shared() {
    { const std::lock_guard turn(turnstile_); }
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }
  /// How often it was held alone so far; to be asked while holding it. Unchanged: so is what the
  /// exclusive side changes.
  std::uint64_t times_alone() const { return times_alone_; }

 private:
  std::mutex turnstile_;
  std::shared_mutex mutex_;
  std::uint64_t times_alone_ = 0;  ///< under mutex_
};

}  // namespace vicinal::graph
