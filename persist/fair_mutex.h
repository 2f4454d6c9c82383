// FairMutex: a mutex that is had in the order of asking.
//
// Whoever gives a std::mutex back and takes it again at once, as steps of a checkpoint and parts of
// a batch do with LMDB's writer, has it again before a thread that waits for it has woken up: that
// one waits for all of them.
// Ownership: whoever locked it unlocks it.
// Threads: any.
// Cost: a hand-over wakes a thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace vicinal::persist {

class FairMutex {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    const std::uint64_t ticket = next_++;
    changed_.wait(lock, [&] { return served_ == ticket; });
  }
  void unlock() {
    const std::lock_guard lock(mutex_);
    ++served_;
    if (served_ != next_) changed_.notify_all();
  }
  /// How many have it or wait for it.
  std::uint64_t askers() const {
    const std::lock_guard lock(mutex_);
    return next_ - served_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::uint64_t next_ = 0;
  std::uint64_t served_ = 0;
};

}  // namespace vicinal::persist
