// RecentlyLinked: the nodes that were linked last, so that those linked at the same time meet.
//
// What: two nodes whose searches overlap find each other by neither; where both are the first of a
// cluster, one of them can be left with no link but its parent's, far away, and no walk meets it.
// So a node that has all its links, back-links included, is noted here, and looks at who was noted
// since its own search began. Of two such nodes at least one sees the other: one of them reads
// after both have written (all accesses are sequentially consistent).
// Threads: any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/base/allocator.h"
#include "graph/types.h"

namespace vicinal::graph {

class RecentlyLinked {
 public:
  /// Two of the longest rounds: one's own, and as many others.
  static constexpr std::size_t kRemembered = 8192;

  /// Before the first note: makes room. Throws std::bad_alloc; no effect the second time. Not beside
  /// any other call.
  void prepare() {
    if (entries_ == nullptr) entries_ = std::make_unique<Entries>();
  }

  /// How many nodes have been noted so far.
  std::uint64_t count() const { return count_.load(); }
  void note(NodeId node) {
    const std::uint64_t number = count_.fetch_add(1);
    const std::uint64_t entry = pack(number, node);
    std::atomic<std::uint64_t>& slot = (*entries_)[number % kRemembered];
    // One that was held up here must not overwrite what a later one left.
    std::uint64_t present = slot.load();
    while (is_older(present, entry) && !slot.compare_exchange_weak(present, entry)) {
    }
  }
  /// Replaces `nodes` by those noted from the `from`-th on; false when not all are remembered. One
  /// that is being noted at this moment may be left out: it will see whoever was noted before.
  bool since(std::uint64_t from, internal::Vector<NodeId>& nodes) const {
    nodes.clear();
    const std::uint64_t end = count_.load();
    if (end - from > kRemembered) return false;
    for (std::uint64_t number = from; number < end; ++number) {
      const std::uint64_t entry = (*entries_)[number % kRemembered].load();
      if (entry >> 32 == (pack(number, NodeId{0}) >> 32)) {
        nodes.push_back(NodeId{static_cast<std::uint32_t>(entry)});
      } else if (count_.load() - number > kRemembered) {
        return false;  // a later one took its entry
      }
    }
    return true;
  }

 private:
  // The number, from 1 and modulo 2^32, so that an entry shows whether it is the one wanted.
  static std::uint64_t pack(std::uint64_t number, NodeId node) {
    return ((number + 1) << 32) | raw(node);
  }
  static bool is_older(std::uint64_t present, std::uint64_t entry) {
    const auto ahead = static_cast<std::int32_t>(static_cast<std::uint32_t>(entry >> 32) -
                                                 static_cast<std::uint32_t>(present >> 32));
    return present == 0 || ahead > 0;
  }

  using Entries = std::array<std::atomic<std::uint64_t>, kRemembered>;
  std::unique_ptr<Entries> entries_;  ///< null until prepare()
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace vicinal::graph
