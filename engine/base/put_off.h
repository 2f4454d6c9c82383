// PutOff: what is to be done once, when what stands in its way has ended.
//
// Ownership: whoever puts it off keeps it until finish(), after which it may be gone.
// Threads: put() any; take() one, beside them.
#pragma once

#include <atomic>
#include <utility>

namespace vicinal::internal {

class PutOff {
 public:
  PutOff() = default;
  PutOff(const PutOff&) = delete;
  PutOff& operator=(const PutOff&) = delete;
  virtual void finish() noexcept = 0;

 protected:
  virtual ~PutOff() = default;

 private:
  friend class PutOffs;
  PutOff* next_ = nullptr;
};

/// Several of them, kept without memory of its own.
class PutOffs {
 public:
  void put(PutOff& what) noexcept {
    what.next_ = first_.load(std::memory_order_relaxed);
    while (!first_.compare_exchange_weak(what.next_, &what, std::memory_order_release,
                                         std::memory_order_relaxed)) {
    }
  }
  /// Takes all of them out, and does each: action(what).
  template <typename Action>
  void take(const Action& action) noexcept {
    PutOff* first = first_.exchange(nullptr, std::memory_order_acquire);
    while (first != nullptr) action(*std::exchange(first, first->next_));
  }

 private:
  std::atomic<PutOff*> first_{nullptr};
};

}  // namespace vicinal::internal
