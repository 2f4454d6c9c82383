// The candidate pool: the best nodes met so far, nearest first, each marked once it was expanded.
//
// What: one sorted array of 8-byte entries. An entry is the distance's bits in an order-preserving
// form, then the id, then the "expanded" bit, so that one integer comparison orders by distance,
// ties by id.
// Why an array: up to a few hundred candidates a binary search and moving what is farther beat two
// heaps.
// Threads: one at a time (it lives in a Scratch).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/base/allocator.h"
#include "graph/types.h"
#include "kernels/kernels.h"

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
  static constexpr std::size_t kBlock = 8;  // entries: 64 bytes

 public:
  /// Above every entry.
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  /// Empties the pool; it keeps the `capacity` best from now on.
  void reset(std::size_t capacity) {
    // Each by itself: one may have grown when there was no memory for the other.
    if (entries_.size() < capacity + kBlock) entries_.resize(capacity + kBlock);
    if (merged_.size() < capacity + kBlock) merged_.resize(capacity + kBlock);
    capacity_ = capacity;
    size_ = 0;
    cursor_ = 0;
    cut_ = kNone;
  }

  std::size_t bytes() const { return (entries_.capacity() + merged_.capacity()) * 8; }
  std::size_t size() const { return size_; }
  bool full() const { return size_ == capacity_; }
  Neighbor operator[](std::size_t i) const {
    return {distance_of(entries_[i]), node_of(entries_[i])};
  }
  /// What a newcomer must be below to be kept: kNone while there is room.
  std::uint64_t bound() const { return full() && size_ > 0 ? entries_[size_ - 1] : kNone; }
  /// The nearest entry that merge() left out, not expanded, since reset(); kNone when it kept all.
  std::uint64_t cut() const { return cut_; }

  /// Keeps the node if it is among the best; true when kept. A node must not be offered twice.
  bool insert(float distance, NodeId node) {
    const std::uint64_t entry = kernels::pool_entry(raw(node), distance);
    if (capacity_ == 0 || (full() && entry >= entries_[size_ - 1])) return false;
    std::uint64_t* const begin = entries_.data();
    std::uint64_t* const at = std::lower_bound(begin, begin + size_, entry);
    const std::size_t position = static_cast<std::size_t>(at - begin);
    size_ = std::min(size_ + 1, capacity_);
    std::memmove(at + 1, at, (size_ - 1 - position) * sizeof(std::uint64_t));
    *at = entry;
    cursor_ = std::min(cursor_, position);
    return true;
  }

  /// insert() of many nodes at once. Calls receive(entries, count) with those nearer than the
  /// worst, ascending, at most kernels::kMostEntries at a time; it calls merge() with what is to be
  /// kept.
  template <typename Receive>
  void offer(const kernels::KernelTable& table, const std::uint32_t* ids, const float* distances,
             std::size_t count, const Receive& receive) {
    if (capacity_ == 0) return;
    std::array<std::uint64_t, kernels::kMostEntries> newcomers;
    for (std::size_t first = 0; first < count; first += kernels::kMostEntries) {
      const std::size_t n = table.sorted_entries(ids + first, distances + first,
                                                 std::min(kernels::kMostEntries, count - first),
                                                 bound(), newcomers.data());
      if (n > 0) receive(newcomers.data(), n);
    }
  }

  /// The nearest node that was not expanded, marked as expanded; kNoNode when there is none.
  NodeId take_next() {
    if (next_entry() == kNone) return kNoNode;
    entries_[cursor_] |= 1;
    return node_of(entries_[cursor_++]);
  }
  /// The entry of the node that take_next() would return; kNone when there is none.
  std::uint64_t next_entry() {
    while (cursor_ < size_ && (entries_[cursor_] & 1) != 0) ++cursor_;
    return cursor_ < size_ ? entries_[cursor_] : kNone;
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

  /// After a walk: the i-th of size() entries is as far as distances[i], and all are expanded.
  void replace_distances(const float* distances) {
    for (std::size_t i = 0; i < size_; ++i) {
      entries_[i] = kernels::pool_entry(raw(node_of(entries_[i])), distances[i]) | 1;
    }
    std::sort(entries_.data(), entries_.data() + size_);
  }

  static NodeId node_of(std::uint64_t entry) {
    return NodeId{static_cast<std::uint32_t>(entry) >> 1};
  }

  /// Whether two entries have the same distance.
  static bool as_far(std::uint64_t a, std::uint64_t b) { return a >> 32 == b >> 32; }
  /// Not above any entry with the distance of `entry`.
  static std::uint64_t nearest_as_far(std::uint64_t entry) { return entry >> 32 << 32; }

  /// Which of two entries, equally far, a pool keeps.
  enum class Keep : std::uint8_t { kBoth, kFirst, kSecond };

  /// merge() of what choose(a, b), called for nodes equally far, keeps of newcomers and of what is
  /// there: a Keep. leave_out(entry) is told of the others. Changes `newcomers`.
  template <typename Choose, typename LeaveOut>
  void merge_distinct(std::uint64_t* newcomers, std::size_t count, const Choose& choose,
                      const LeaveOut& leave_out) {
    if (count == 0 || capacity_ == 0) return;
    find_positions(newcomers, count);
    int ties = 0;  // or what looks like some, behind the last entry; without branches
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = positions_[i];
      ties |= static_cast<int>(as_far(entries_[at], newcomers[i])) |
              static_cast<int>(as_far(entries_[at - (at > 0)], newcomers[i])) |
              static_cast<int>(i > 0 && as_far(newcomers[i - 1], newcomers[i]));
    }
    if (ties != 0) [[unlikely]] {
      count = leave_out_same(newcomers, count, choose, leave_out);
      if (count == 0) return;
      find_positions(newcomers, count);
    }
    merge_at_positions(newcomers, count);
  }

  /// Ascending newcomers and the entries between them go to the other buffer by blocks of 64 bytes:
  /// what is copied too much lies behind, where the next ones go. What does not fit is left out.
  void merge(const std::uint64_t* newcomers, std::size_t count) {
    if (count == 0 || capacity_ == 0) return;
    find_positions(newcomers, count);
    merge_at_positions(newcomers, count);
  }

 private:
  void merge_at_positions(const std::uint64_t* newcomers, std::size_t count) {
    const std::uint64_t* from = entries_.data();
    const std::uint64_t* const from_end = from + size_;
    std::uint64_t* to = merged_.data();
    std::uint64_t* const end = to + capacity_;
    const auto copy_until = [&](std::size_t position) {
      const auto between = static_cast<std::size_t>(entries_.data() + position - from);
      const std::size_t n = std::min(between, static_cast<std::size_t>(end - to));
      for (std::size_t i = 0; i < n; i += kBlock) {
        std::memcpy(to + i, from + i, kBlock * sizeof(std::uint64_t));
      }
      from += n;
      to += n;
    };
    std::size_t i = 0;
    for (; i < count && to < end; ++i) {
      copy_until(positions_[i]);
      if (to == end) break;
      *to++ = newcomers[i];
    }
    copy_until(size_);
    if (i < count) cut_ = std::min(cut_, newcomers[i]);
    while (from < from_end && (*from & 1) != 0) ++from;  // what was expanded is no loss
    if (from < from_end) cut_ = std::min(cut_, *from);
    size_ = static_cast<std::size_t>(to - merged_.data());
    entries_.swap(merged_);
    cursor_ = std::min(cursor_, positions_[0]);
  }

  // For merge_distinct(); returns how many newcomers are left.
  template <typename Choose, typename LeaveOut>
  std::size_t leave_out_same(std::uint64_t* newcomers, std::size_t count, const Choose& choose,
                             const LeaveOut& leave_out) {
    // Compares `entry` with entries[from, size) as far as it is; false when one stays instead of it.
    const auto stays = [&](std::uint64_t* entries, std::size_t from, std::size_t& size,
                           std::uint64_t entry) {
      for (std::size_t i = from; i < size && as_far(entries[i], entry);) {
        const Keep keep = choose(node_of(entries[i]), node_of(entry));
        if (keep == Keep::kFirst) return false;
        if (keep == Keep::kBoth) {
          ++i;
          continue;
        }
        leave_out(entries[i] & ~std::uint64_t{1});
        std::memmove(entries + i, entries + i + 1, (--size - i) * sizeof(std::uint64_t));
        if (entries == entries_.data()) cursor_ = std::min(cursor_, i);
      }
      return true;
    };
    std::size_t left = 0;
    std::size_t group = 0;  // where the newcomers as far as the present one begin
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t entry = newcomers[i];
      if (group < left && !as_far(newcomers[group], entry)) group = left;
      std::uint64_t* const begin = entries_.data();
      const auto at = static_cast<std::size_t>(
          std::lower_bound(begin, begin + size_, nearest_as_far(entry)) - begin);
      if (stays(newcomers, group, left, entry) && stays(begin, at, size_, entry)) {
        newcomers[left++] = entry;
      } else {
        leave_out(entry);
      }
    }
    return left;
  }

  // How many entries are smaller than each newcomer. A mask instead of a branch, which would be
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

  static float distance_of(std::uint64_t entry) {
    const auto ordered = static_cast<std::uint32_t>(entry >> 32);
    return std::bit_cast<float>((ordered & 0x80000000u) != 0 ? ordered & 0x7FFFFFFFu : ~ordered);
  }
  // Both with a block to spare behind the capacity.
  internal::Vector<std::uint64_t> entries_;
  internal::Vector<std::uint64_t> merged_;                      ///< what a merge() makes
  std::array<std::size_t, kernels::kMostEntries> positions_{};  ///< of its newcomers
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::size_t cursor_ = 0;  ///< everything before it is expanded
  std::uint64_t cut_ = kNone;
};

}  // namespace vicinal::graph
