#include "graph/visibility.h"

#include "engine/base/step_hook.h"

namespace vicinal::graph {

void Visibility::grow(std::uint64_t limit, std::uint64_t in_pieces) {
  numbers_.grow(limit, Growth::kSegments, in_pieces);
  before_.grow(limit, Growth::kSegments, in_pieces);
  marks_.grow(limit, Growth::kSegments, in_pieces);
}

std::array<TableRows, 3> Visibility::tables() {
  return {numbers_.table(), before_.table(), marks_.table()};
}

std::uint64_t Visibility::bytes_held() const {
  return numbers_.bytes_held() + before_.bytes_held() + marks_.bytes_held();
}

bool Visibility::counts_by_numbers(NodeId node, Number moment, bool& unsettled) const {
  const std::uint8_t mark = marks_[node].load(std::memory_order_acquire);
  const Numbers& numbers = numbers_[node];
  const Number hidden = numbers.hidden.load(std::memory_order_acquire);
  VICINAL_STEP_POINT("counts.between");
  if (hidden <= moment) return false;
  const Number shown = numbers.shown.load(std::memory_order_acquire);
  if (shown > moment) return false;
  if (mark == kByNumbers && hidden == kNever) {
    if (shown <= settled_.load(std::memory_order_acquire)) {
      std::uint8_t expected = kByNumbers;
      marks_[node].compare_exchange_strong(expected, kForAll, std::memory_order_acq_rel);
    } else {
      unsettled = true;
    }
  }
  return true;
}

NodeId Visibility::stood(NodeId now, Number moment) const {
  bool unsettled = false;
  for (NodeId node = now; node != kNoNode; node = before(node)) {
    VICINAL_STEP_POINT("stood.next");
    if (numbers_[node].shown.load(std::memory_order_acquire) > moment) continue;
    return counts(node, moment, unsettled) ? node : kNoNode;
  }
  return kNoNode;
}

void Visibility::settle() const {
  if (!settling_.try_lock()) return;
  const internal::MutexLock lock(settling_, std::adopt_lock);
  if (next_settled_ == settled_.load(std::memory_order_relaxed)) {
    const Number now = number();
    if (now == next_settled_) return;
    // The tag comes after the number: who enters in a later epoch gets this number at least.
    const std::uint64_t tag = epochs_.try_retire_tag();
    if (tag == 0) return;
    next_settled_ = now;
    next_settled_tag_ = tag;
  }
  if (epochs_.try_advance() > next_settled_tag_) {
    settled_.store(next_settled_, std::memory_order_release);
  }
}

void Visibility::restore(NodeId node, bool live) {
  numbers_[node].shown.store(0, std::memory_order_relaxed);
  numbers_[node].hidden.store(live ? kNever : 0, std::memory_order_relaxed);
  before_[node].store(kNoNode, std::memory_order_relaxed);
  marks_[node].store(live ? kForAll : kHidden, std::memory_order_release);
}

void Visibility::begin_life(NodeId node, NodeId before) {
  before_[node].store(before, std::memory_order_relaxed);
  marks_[node].store(kByNumbers, std::memory_order_relaxed);
  numbers_[node].shown.store(kNever, std::memory_order_release);
  VICINAL_STEP_POINT("life.begins");
  numbers_[node].hidden.store(kNever, std::memory_order_release);
}

void Visibility::Step::show(NodeId node) {
  v_.numbers_[node].shown.store(number_, std::memory_order_release);
  VICINAL_STEP_POINT("step.shown");
}

void Visibility::Step::hide(NodeId node) {
  // An exchange: whoever would mark it now comes before, and is undone, or finds it changed (V2).
  v_.marks_[node].exchange(kHidden, std::memory_order_acq_rel);
  VICINAL_STEP_POINT("step.marked");
  v_.numbers_[node].hidden.store(number_, std::memory_order_release);
  VICINAL_STEP_POINT("step.hidden");
}

void Visibility::Step::unhide(NodeId node) {
  v_.numbers_[node].hidden.store(kNever, std::memory_order_release);
  VICINAL_STEP_POINT("step.unhidden");
  v_.marks_[node].store(kByNumbers, std::memory_order_release);
}

}  // namespace vicinal::graph
