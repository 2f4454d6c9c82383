// The visited set of one search: a bit per node, emptied in O(1).
//
// What: 64-bit words of bits, each with a 16-bit tag of the search that last wrote it: 10 bytes per
// 64 nodes, so a million nodes stay in L2.
// Threads: one at a time (it lives in a Scratch).
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/base/allocator.h"

namespace vicinal::graph {

class VisitedSet {
 public:
  /// Empties the set; ids below `limit` will not make it grow.
  void reset(std::uint64_t limit) {
    const std::size_t words = (limit + 63) / 64;
    if (words > bits_.size()) grow(words);
    tag_ = static_cast<std::uint16_t>(tag_ + 1);
    if (tag_ == 0) {  // 65,535 searches later: old tags could be mistaken for new ones
      std::fill(tags_.begin(), tags_.end(), std::uint16_t{0});
      tag_ = 1;
    }
  }

  /// Marks `id`; true when it was not marked.
  bool insert(std::uint32_t id) {
    const std::size_t word = id >> 6;
    if (word >= bits_.size()) [[unlikely]]
      grow(word + 1);
    // A mask: whether the word is fresh cannot be predicted.
    const std::uint64_t old =
        bits_[word] & (std::uint64_t{0} - static_cast<std::uint64_t>(tags_[word] == tag_));
    const std::uint64_t bit = std::uint64_t{1} << (id & 63);
    tags_[word] = tag_;
    bits_[word] = old | bit;
    return (old & bit) == 0;
  }

  std::size_t bytes() const { return bits_.capacity() * 8 + tags_.capacity() * 2; }

 private:
  void grow(std::size_t words) {
    words = std::max(words, bits_.size() + bits_.size() / 2);
    tags_.resize(words);  // first: the size of bits_ is what is relied on, whichever throws
    bits_.resize(words);
  }

  internal::Vector<std::uint64_t> bits_;
  internal::Vector<std::uint16_t> tags_;
  std::uint16_t tag_ = 0;
};

}  // namespace vicinal::graph
