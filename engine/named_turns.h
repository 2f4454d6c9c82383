// NamedTurns: one at a time for each name.
//
// What: who opens, makes or drops an index has the turn at its name; others go on. As Turn, but for
// what is named.
// Threads: any.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "engine/base/mutex.h"

namespace vicinal::engine {

class NamedTurns {
 public:
  /// The turn at `name` from its construction to its end; false when somebody else has it.
  class Taken {
   public:
    Taken(NamedTurns& turns, std::string_view name, bool wait)
        : turns_(turns), name_(name), taken_(turns.take(name_, wait)) {}
    ~Taken() {
      if (taken_) turns_.end(name_);
    }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    explicit operator bool() const { return taken_; }

   private:
    NamedTurns& turns_;
    const std::string name_;
    const bool taken_;
  };

 private:
  bool take(const std::string& name, bool wait) {
    const internal::MutexLock lock(mutex_);
    while (wait && taken_.contains(name)) ended_.wait(mutex_);
    return taken_.insert(name).second;
  }
  void end(const std::string& name) {
    {
      const internal::MutexLock lock(mutex_);
      taken_.erase(name);
    }
    ended_.notify_all();
  }

  internal::Mutex mutex_;
  internal::CondVar ended_;
  std::set<std::string> taken_ VICINAL_GUARDED_BY(mutex_);
};

}  // namespace vicinal::engine
