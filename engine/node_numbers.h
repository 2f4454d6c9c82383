// NodeNumbers: nodes chosen from all, and the number of each among them, in their order.
//
// What: two bits a node (chosen, and live), and for every 64 of them how many were chosen before: 2.5
// bits a node.
// Threads: chosen by one; then any.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "engine/base/allocator.h"
#include "graph/types.h"

namespace vicinal::engine {

class NodeNumbers {
 public:
  /// Of nodes below `limit`; none is chosen. Throws std::bad_alloc; the only place that does.
  explicit NodeNumbers(std::uint64_t limit)
      : words_(limit / 64 + 1), live_(limit / 64 + 1), before_(limit / 64 + 1) {}

  /// Of none again.
  void clear() noexcept {
    std::fill(words_.begin(), words_.end(), 0);
    std::fill(live_.begin(), live_.end(), 0);
    count_ = 0;
    live_count_ = 0;
  }
  /// Each once, and finish() behind the last.
  void choose(graph::NodeId node, bool live) {
    words_[graph::raw(node) / 64] |= bit(node);
    if (!live) return;
    live_[graph::raw(node) / 64] |= bit(node);
    ++live_count_;
  }
  void finish() {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      before_[i] = count_;
      count_ += static_cast<std::uint32_t>(std::popcount(words_[i]));
    }
  }

  std::uint32_t count() const { return count_; }
  std::uint32_t live_count() const { return live_count_; }
  bool contains(graph::NodeId node) const {
    const std::uint32_t word = graph::raw(node) / 64;
    return word < words_.size() && (words_[word] & bit(node)) != 0;
  }
  /// What a chosen node was chosen as.
  bool live(graph::NodeId node) const { return (live_[graph::raw(node) / 64] & bit(node)) != 0; }
  /// Of a chosen node.
  graph::NodeId number(graph::NodeId node) const {
    const std::uint32_t word = graph::raw(node) / 64;
    const auto below = static_cast<std::uint32_t>(std::popcount(words_[word] & (bit(node) - 1)));
    return graph::NodeId{before_[word] + below};
  }
  /// The first chosen node at `from` or behind it, or kNoNode.
  graph::NodeId next(std::uint64_t from) const {
    std::size_t word = from / 64;
    if (word >= words_.size()) return graph::kNoNode;
    std::uint64_t bits = words_[word] & ~((std::uint64_t{1} << (from % 64)) - 1);
    while (bits == 0) {
      if (++word == words_.size()) return graph::kNoNode;
      bits = words_[word];
    }
    return graph::NodeId{static_cast<std::uint32_t>(word * 64) +
                         static_cast<std::uint32_t>(std::countr_zero(bits))};
  }

 private:
  static std::uint64_t bit(graph::NodeId node) {
    return std::uint64_t{1} << (graph::raw(node) % 64);
  }

  internal::Vector<std::uint64_t> words_;
  internal::Vector<std::uint64_t> live_;
  internal::Vector<std::uint32_t> before_;
  std::uint32_t count_ = 0;
  std::uint32_t live_count_ = 0;
};

}  // namespace vicinal::engine
