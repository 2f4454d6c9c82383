// The candidate pool: the best nodes met so far, nearest first, each marked once it was expanded.
//
// What: one sorted array of 8-byte entries. An entry is the distance's bits in an order-preserving
// form, then the id, then the "expanded" bit, so that one integer comparison orders by distance,
// ties by id. Threads: one at a time (it lives in a Scratch). Why an array: up to a few hundred
// candidates a binary search and a memmove beat two heaps.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/allocator.h"
#include "graph/types.h"

namespace vicinal::graph {

/// A node and how far it is.
struct Neighbor {
  float distance = 0;
  NodeId node = kNoNode;

  friend bool operator<(const Neighbor& a, const Neighbor& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.node < b.node;
  }
};

class CandidatePool {
 public:
  /// Empties the pool; it keeps the `capacity` best from now on.
  void reset(std::size_t capacity) {
    if (entries_.size() < capacity) entries_.resize(capacity);
    capacity_ = capacity;
    size_ = 0;
    cursor_ = 0;
  }

  std::size_t size() const { return size_; }
  bool full() const { return size_ == capacity_; }
  Neighbor operator[](std::size_t i) const {
    return {distance_of(entries_[i]), node_of(entries_[i])};
  }
  /// The farthest kept. The pool must not be empty.
  float worst() const { return distance_of(entries_[size_ - 1]); }

  /// Keeps the node if it is among the best; true when kept. A node must not be offered twice.
  bool insert(float distance, NodeId node) {
    const std::uint64_t entry = pack(distance, node);
    if (full() && entry >= entries_[size_ - 1]) return false;
    merge(&entry, 1);
    return true;
  }

  /// insert() of many nodes at once. Calls kept(node) for each that was nearer than the worst
  /// before.
  template <typename Kept>
  void insert_all(const std::uint32_t* ids, const float* distances, std::size_t count,
                  const Kept& kept) {
    if (newcomers_.size() < count) newcomers_.resize(count);
    const std::uint64_t bound = full() ? entries_[size_ - 1] : ~std::uint64_t{0};
    std::size_t n = 0;
    // Without a branch: which are near enough cannot be predicted.
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t entry = pack(distances[i], NodeId{ids[i]});
      newcomers_[n] = entry;
      n += entry < bound ? 1 : 0;
    }
    if (n == 0) return;
    for (std::size_t i = 0; i < n; ++i) kept(node_of(newcomers_[i]));
    sort(newcomers_.data(), n);
    merge(newcomers_.data(), n);
  }

  /// The nearest node that was not expanded, marked as expanded; kNoNode when there is none.
  NodeId take_next() {
    cursor_ = next();
    if (cursor_ == size_) return kNoNode;
    entries_[cursor_] |= 1;
    return node_of(entries_[cursor_++]);
  }
  /// Where the one that take_next() would return stands now; size() when there is none.
  std::size_t next() const {
    std::size_t i = cursor_;
    while (i < size_ && (entries_[i] & 1) != 0) ++i;
    return i;
  }
  /// Calls each(node) for the next `count` at most that take_next() would return.
  template <typename Each>
  void peek(std::size_t count, const Each& each) const {
    for (std::size_t i = cursor_; i < size_ && count > 0; ++i) {
      if ((entries_[i] & 1) != 0) continue;
      each(node_of(entries_[i]));
      --count;
    }
  }

 private:
  // How many entries are smaller than each newcomer. A mask in place of a branch, which would be
  // mispredicted every other time; several searches side by side, since each waits for its loads.
  void find_positions(const std::uint64_t* newcomers, std::size_t count) {
    constexpr std::size_t kTogether = 4;
    std::size_t i = 0;
    for (; i + kTogether <= count; i += kTogether) find_some<kTogether>(newcomers, i);
    for (; i < count; ++i) find_some<1>(newcomers, i);
  }

  template <std::size_t kCount>
  void find_some(const std::uint64_t* newcomers, std::size_t first) {
    std::array<std::size_t, kCount> at{};
    const std::uint64_t* const entries = entries_.data();
    if (size_ > 0) {
      std::size_t n = size_;
      while (n > 1) {
        const std::size_t half = n / 2;
        for (std::size_t k = 0; k < kCount; ++k) {
          const bool smaller = entries[at[k] + half - 1] < newcomers[first + k];
          at[k] += half & (std::size_t{0} - static_cast<std::size_t>(smaller));
        }
        n -= half;
      }
      for (std::size_t k = 0; k < kCount; ++k) {
        at[k] += entries[at[k]] < newcomers[first + k] ? 1 : 0;
      }
    }
    for (std::size_t k = 0; k < kCount; ++k) positions_[first + k] = at[k];
  }

  // Mostly a handful, for which std::sort is a detour.
  static void sort(std::uint64_t* entries, std::size_t count) {
    if (count > 32) {
      std::sort(entries, entries + count);
      return;
    }
    for (std::size_t i = 1; i < count; ++i) {
      const std::uint64_t entry = entries[i];
      std::size_t at = i;
      for (; at > 0 && entries[at - 1] > entry; --at) entries[at] = entries[at - 1];
      entries[at] = entry;
    }
  }

  // Merges ascending newcomers from the back, so that every entry moves once at most; what does not
  // fit falls off the end.
  void merge(const std::uint64_t* newcomers, std::size_t count) {
    if (positions_.size() < count) positions_.resize(count);
    find_positions(newcomers, count);
    std::uint64_t* const begin = entries_.data();
    std::size_t end = size_;  // entries before it are where they were
    for (std::size_t i = count; i-- > 0;) {
      const std::size_t from = positions_[i];
      const std::size_t to = from + i + 1;
      if (to < capacity_) {
        std::memmove(begin + to, begin + from,
                     std::min(end - from, capacity_ - to) * sizeof(std::uint64_t));
      }
      if (to <= capacity_) begin[to - 1] = newcomers[i];
      end = from;
    }
    size_ = std::min(size_ + count, capacity_);
    cursor_ = std::min(cursor_, positions_[0]);
  }

  static std::uint64_t pack(float distance, NodeId node) {
    const auto bits = std::bit_cast<std::uint32_t>(distance);
    const std::uint32_t ordered = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    return (std::uint64_t{ordered} << 32) | (std::uint64_t{raw(node)} << 1);
  }
  static float distance_of(std::uint64_t entry) {
    const auto ordered = static_cast<std::uint32_t>(entry >> 32);
    return std::bit_cast<float>((ordered & 0x80000000u) != 0 ? ordered & 0x7FFFFFFFu : ~ordered);
  }
  static NodeId node_of(std::uint64_t entry) {
    return NodeId{static_cast<std::uint32_t>(entry) >> 1};
  }

  internal::Vector<std::uint64_t> entries_;
  internal::Vector<std::uint64_t> newcomers_;  ///< of one insert_all()
  internal::Vector<std::size_t> positions_;    ///< theirs among the entries
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::size_t cursor_ = 0;  ///< everything before it is expanded
};

}  // namespace vicinal::graph
