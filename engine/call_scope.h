// CallScope: the calls that a thread is inside of, and what is put off until the outermost of them
// has ended.
//
// Why: a callback may destroy the last handle of the store that called it. Closing waits for that
// call, so it is done when the thread is inside nothing any more.
// Threads: each has its own chain of scopes. A callback that another thread makes for a call, while
// the call waits for that thread, goes on the call's chain (Adopted). Costs a thread-local word.
#pragma once

#include <utility>

#include "engine/base/put_off.h"
#include "engine/base/stays.h"

namespace vicinal::engine {

using internal::PutOff;

class CallScope {
 public:
  /// `within`: what may be asked for by inside(); null: nothing.
  explicit CallScope(const void* within = nullptr)
      : within_(within),
        outer_(innermost()),
        outermost_(outer_ == nullptr ? this : outer_->outermost_) {
#ifndef __clang_analyzer__  // it does not see that the destructor of a member puts this right
    innermost() = this;
#endif
  }
  ~CallScope() {
    innermost() = outer_;
    if (outer_ != nullptr) return;
    put_off_.take([](PutOff& what) { what.finish(); });
  }
  CallScope(const CallScope&) = delete;
  CallScope& operator=(const CallScope&) = delete;

  /// The calling thread's, or null.
  static CallScope* current() { return innermost(); }

  /// Whether the calling thread is inside `within`.
  static bool inside(const void* within) {
    for (const CallScope* scope = innermost(); scope != nullptr; scope = scope->outer_) {
      if (scope->within_ == within) return true;
    }
    return false;
  }

  /// Calls what.finish(): now, or when the outermost call of this thread has ended.
  static void finish_outside(PutOff& what) noexcept {
    CallScope* const scope = innermost();
    if (scope == nullptr) {
      what.finish();
      return;
    }
    scope->outermost_->put_off_.put(what);
  }

  class Adopted;

  /// What the thread that makes it is inside of, which lasts longer.
  class Caller {
   public:
    Caller() { stays_.caller = internal::Stays::calling_thread(); }
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;

   private:
    friend class Adopted;
    CallScope* const scope_ = innermost();
    internal::Stays stays_ = internal::Stays::of_thread();
  };

  /// Puts a thread that is inside nothing inside all that `caller` is (if that is inside a call).
  class Adopted {
   public:
    explicit Adopted(const Caller& caller)
        : adopted_(caller.scope_ != nullptr && innermost() == nullptr) {
      if (!adopted_) return;
      innermost() = caller.scope_;
      own_ = std::exchange(internal::Stays::of_thread(), caller.stays_);
    }
    ~Adopted() {
      if (!adopted_) return;
      innermost() = nullptr;
      internal::Stays::of_thread() = own_;
    }
    Adopted(const Adopted&) = delete;
    Adopted& operator=(const Adopted&) = delete;

   private:
    const bool adopted_;
    internal::Stays own_;
  };

 private:
  static CallScope*& innermost() {
    thread_local CallScope* scope = nullptr;
    return scope;
  }

  const void* const within_;
  CallScope* const outer_;
  CallScope* const outermost_;
  internal::PutOffs put_off_;  ///< of the outermost
};

}  // namespace vicinal::engine
