// NamedTurns: one at a time for each name.
//
// What: who opens, makes or drops an index has the turn at its name; others go on. As Turn, but for
// what is named.
// Threads: any.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

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
    std::unique_lock lock(mutex_);
    if (wait) ended_.wait(lock, [&] { return !taken_.contains(name); });
    return taken_.insert(name).second;
  }
  void end(const std::string& name) {
    {
      const std::lock_guard lock(mutex_);
      taken_.erase(name);
    }
    ended_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  std::set<std::string> taken_;  ///< under mutex_
};

}  // namespace vicinal::engine
