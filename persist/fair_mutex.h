// FairMutex: a mutex that is had in the order of asking.
//
// Whoever gives a std::mutex back and takes it again at once, as steps of a checkpoint and parts of
// a batch do with LMDB's writer, has it again before a thread that waits for it has woken up: that
// one waits for all of them.
// Ownership: whoever locked it unlocks it.
// Threads: any.
// Cost: a hand-over wakes a thread.
#pragma once

#include <cstdint>

#include "engine/base/mutex.h"

namespace vicinal::persist {

class VICINAL_CAPABILITY("mutex") FairMutex {
 public:
  void lock() VICINAL_ACQUIRE() {
    const internal::MutexLock lock(mutex_);
    const std::uint64_t ticket = next_++;
    while (served_ != ticket) changed_.wait(mutex_);
  }
  void unlock() VICINAL_RELEASE() {
    const internal::MutexLock lock(mutex_);
    ++served_;
    if (served_ != next_) changed_.notify_all();
  }
  /// How many have it or wait for it.
  std::uint64_t askers() const {
    const internal::MutexLock lock(mutex_);
    return next_ - served_;
  }

 private:
  mutable internal::Mutex mutex_;
  internal::CondVar changed_;
  std::uint64_t next_ VICINAL_GUARDED_BY(mutex_) = 0;
  std::uint64_t served_ VICINAL_GUARDED_BY(mutex_) = 0;
};

}  // namespace vicinal::persist
