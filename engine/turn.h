// Turn: one at a time, for work that is done in slices and that nobody should wait for unawares.
//
// What: a mutex whose Taken says whether it was had: a callback may ask again on the thread that has the
// turn, and has to be told no.
// Threads: any; the turn ends on the thread that it began on.
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
  // Held as long as a Taken lives: more than the analysis follows.
  bool take(bool wait) VICINAL_NO_THREAD_SAFETY_ANALYSIS {
    if (!wait) return mutex_.try_lock();
    mutex_.lock();
    return true;
  }
  void end() VICINAL_NO_THREAD_SAFETY_ANALYSIS { mutex_.unlock(); }

  internal::Mutex mutex_;
};

}  // namespace vicinal::engine
