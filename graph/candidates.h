// The candidate pool: the best nodes met so far, nearest first, each marked once it was expanded.
//
// What: one sorted array of 8-byte entries. An entry is the distance's bits in an order-preserving
// form, then the id, then the "expanded" bit, so that one integer comparison orders by distance,
// ties by id. Threads: one at a time (it lives in a Scratch). Why an array: up to a few hundred
// candidates a binary search and a memmove beat two heaps.
#pragma once

#include <algorithm>
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
    if (entries_.size() < capacity + 1) entries_.resize(capacity + 1);
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
    if (size_ == capacity_ && entry >= entries_[size_ - 1]) return false;
    std::uint64_t* const begin = entries_.data();
    // Newcomers mostly belong near the end once the pool is full of near nodes; a plain lower_bound
    // without branches on data is as good and simpler.
    std::size_t at = 0;
    for (std::size_t n = size_; n > 0;) {
      const std::size_t half = n / 2;
      const bool right = begin[at + half] < entry;
      at = right ? at + half + 1 : at;
      n = right ? n - half - 1 : half;
    }
    const std::size_t kept = size_ - (size_ == capacity_ ? 1 : 0);
    std::memmove(begin + at + 1, begin + at, (kept - at) * sizeof(std::uint64_t));
    begin[at] = entry;
    size_ = kept + 1;
    cursor_ = std::min(cursor_, at);
    return true;
  }

  /// The nearest node that was not expanded, marked as expanded; kNoNode when there is none.
  NodeId take_next() {
    while (cursor_ < size_ && (entries_[cursor_] & 1) != 0) ++cursor_;
    if (cursor_ == size_) return kNoNode;
    entries_[cursor_] |= 1;
    return node_of(entries_[cursor_++]);
  }
  /// The one that take_next() would return now, unmarked.
  NodeId peek_next() const {
    std::size_t i = cursor_;
    while (i < size_ && (entries_[i] & 1) != 0) ++i;
    return i == size_ ? kNoNode : node_of(entries_[i]);
  }
  /// Distance of the one that take_next() would return; only when peek_next() is a node.
  float next_distance() const {
    std::size_t i = cursor_;
    while ((entries_[i] & 1) != 0) ++i;
    return distance_of(entries_[i]);
  }

 private:
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
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::size_t cursor_ = 0;  ///< everything before it is expanded
};

}  // namespace vicinal::graph
