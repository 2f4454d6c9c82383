// LeftSlots: slots that no list names any more, which readers may still hold, until those have left.
//
// What: two generations. While the first waits for the readers of its tag, what leaves meanwhile gathers in the
// second, which waits for those of its newest: 4 bytes a slot, and none waits longer than for the readers
// of two tags behind its own.
// Ownership: a part of GraphState. leave() and take() throw nothing where reserve() made room.
// Threads: one at a time (slots_mutex).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "engine/base/allocator.h"
#include "graph/types.h"

namespace vicinal::graph {

class LeftSlots {
 public:
  bool empty() const { return slots_.empty(); }
  std::uint64_t bytes_held() const { return slots_.capacity() * sizeof(NodeId); }
  void reserve(std::size_t slots) { slots_.reserve(slots); }

  /// `tag`: of the epoch whose readers may hold them, at least that of the last call.
  void leave(std::span<const NodeId> slots, std::uint64_t tag) noexcept {
    const bool joins_first = slots_.empty() || (first_ == slots_.size() && first_tag_ == tag) ||
                             tag - first_tag_ > std::numeric_limits<std::uint32_t>::max();
    slots_.insert(slots_.end(), slots.begin(), slots.end());
    if (joins_first) {
      wait_for(tag);
    } else {
      second_behind_ = static_cast<std::uint32_t>(tag - first_tag_);
    }
  }

  /// put(slot) for those whose readers have left: tags below `oldest` have none. Of one generation the
  /// last first.
  template <typename Put>
  void take(std::uint64_t oldest, const Put& put) noexcept {
    while (first_ != 0 && first_tag_ < oldest) {
      const auto end = slots_.begin() + static_cast<std::ptrdiff_t>(first_);
      for (auto at = end; at != slots_.begin();) put(*--at);
      slots_.erase(slots_.begin(), end);
      wait_for(first_tag_ + second_behind_);
    }
  }

 private:
  /// All are of the first generation now.
  void wait_for(std::uint64_t tag) noexcept {
    first_ = static_cast<std::uint32_t>(slots_.size());
    first_tag_ = tag;
    second_behind_ = 0;
  }

  internal::Vector<NodeId> slots_;  ///< the first generation before the second
  std::uint64_t first_tag_ = 0;
  std::uint32_t first_ = 0;          ///< slots of the first
  std::uint32_t second_behind_ = 0;  ///< by so much the second's tag is above the first's
};

}  // namespace vicinal::graph
