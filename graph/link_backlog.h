// LinkBacklog: the nodes that are shown, or about to be, and not linked, or not wholly.
//
// What: after a commit nothing may fail, and linking takes memory. A node whose linking ran out of
// it stands here; every search compares with those that its walk did not meet, until somebody links
// them. The list runs through an array by node, so that to join it takes no memory. It is empty as
// a rule, and short. Ownership: a part of GraphState. Threads: readers, inside an epoch, take no
// lock. Writers lock for a moment.
//
// Invariants:
//   B1  A node joins once in the life of its slot, before it is shown, and leaves when its links
//   are
//       made or its slot is about to come back. What it leads on to stays as it is until then, so
//       that a reader who stands on one that has left goes on to all that followed.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "graph/arena.h"
#include "graph/types.h"

namespace vicinal::graph {

class LinkBacklog {
 public:
  /// What a node costs here.
  static constexpr std::uint64_t kBytesPerNode = sizeof(NodeId);

  void grow(std::uint64_t limit) { next_.grow(limit); }

  bool empty() const { return head_.load(std::memory_order_acquire) == kNoNode; }
  /// Calls each(node) for every node of the list.
  template <typename Each>
  void for_each(const Each& each) const {
    for (NodeId node = head_.load(std::memory_order_acquire); node != kNoNode;
         node = next_[node].load(std::memory_order_acquire)) {
      each(node);
    }
  }

  void join(NodeId node) noexcept {
    const std::lock_guard lock(mutex_);
    next_[node].store(head_.load(std::memory_order_relaxed), std::memory_order_release);
    head_.store(node, std::memory_order_release);
  }
  /// No effect when the node is not in the list.
  void leave(NodeId node) noexcept {
    if (empty()) return;
    const std::lock_guard lock(mutex_);
    std::atomic<NodeId>* at = &head_;
    while (at->load(std::memory_order_relaxed) != kNoNode) {
      const NodeId here = at->load(std::memory_order_relaxed);
      if (here == node) {
        at->store(next_[node].load(std::memory_order_relaxed), std::memory_order_release);
        return;
      }
      at = &next_[here];
    }
  }

 private:
  mutable std::mutex mutex_;
  std::atomic<NodeId> head_{kNoNode};
  SegmentedArray<std::atomic<NodeId>> next_;
};

}  // namespace vicinal::graph
