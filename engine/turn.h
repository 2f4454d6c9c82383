// Turn: one at a time, for work that is done in slices and that nobody should wait for unawares.
//
// Why not a mutex: a callback may ask again on the thread that has the turn, and has to be told no.
// Threads: any; the turn may end on another thread than it began on.
#pragma once

#include "engine/base/mutex.h"

namespace vicinal::engine {

class Turn {
 public:
  /// The turn from its construction to its end; false when somebody else has it.
  class Taken {
   public:
    explicit Taken(Turn& turn, bool wait) : turn_(turn), taken_(turn.take(wait)) {}
    ~Taken() {
      if (taken_) turn_.end();
    }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    explicit operator bool() const { return taken_; }

   private:
    Turn& turn_;
    const bool taken_;
  };

 private:
  bool take(bool wait) {
    const internal::MutexLock lock(mutex_);
    while (wait && taken_) ended_.wait(mutex_);
    if (taken_) return false;
    taken_ = true;
    return true;
  }
  void end() {
    {
      const internal::MutexLock lock(mutex_);
      taken_ = false;
    }
    ended_.notify_one();
  }

  internal::Mutex mutex_;
  internal::CondVar ended_;
  bool taken_ VICINAL_GUARDED_BY(mutex_) = false;
};

}  // namespace vicinal::engine
