// CallScope: the calls that a thread is inside of, and what is put off until the outermost of them
// has ended.
//
// Why: a callback may destroy the last handle of the store that called it. Closing waits for that
// call, so it is done when the thread is inside nothing any more.
// Threads: each has its own chain of scopes. A callback that another thread makes for a call, while
// the call waits for that thread, goes on the call's chain (Adopted). Costs a thread-local word.
#pragma once

#include <atomic>
#include <utility>

namespace vicinal::engine {

/// What can be put off, once.
class PutOff {
 public:
  PutOff() = default;
  PutOff(const PutOff&) = delete;
  PutOff& operator=(const PutOff&) = delete;
  /// On a thread that is inside no call. It may be gone afterwards.
  virtual void finish() noexcept = 0;

 protected:
  virtual ~PutOff() = default;

 private:
  friend class CallScope;
  PutOff* next_ = nullptr;
};

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
    PutOff* first = put_off_.exchange(nullptr, std::memory_order_acquire);
    while (first != nullptr) std::exchange(first, first->next_)->finish();
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
    std::atomic<PutOff*>& first = scope->outermost_->put_off_;
    what.next_ = first.load(std::memory_order_relaxed);
    while (!first.compare_exchange_weak(what.next_, &what, std::memory_order_release,
                                        std::memory_order_relaxed)) {
    }
  }

  /// Puts a thread that is inside nothing inside `scope` (null: nothing), which outlives this.
  class Adopted {
   public:
    explicit Adopted(CallScope* scope) : adopted_(scope != nullptr && innermost() == nullptr) {
      if (adopted_) innermost() = scope;
    }
    ~Adopted() {
      if (adopted_) innermost() = nullptr;
    }
    Adopted(const Adopted&) = delete;
    Adopted& operator=(const Adopted&) = delete;

   private:
    const bool adopted_;
  };

 private:
  static CallScope*& innermost() {
    thread_local CallScope* scope = nullptr;
    return scope;
  }

  const void* const within_;
  CallScope* const outer_;
  CallScope* const outermost_;
  std::atomic<PutOff*> put_off_{nullptr};  ///< of the outermost
};

}  // namespace vicinal::engine
