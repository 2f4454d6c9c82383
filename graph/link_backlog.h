// LinkBacklog: the nodes that are shown, or about to be, and not linked, or not wholly.
//
// What: after a commit nothing may fail, and linking takes memory. A node whose linking ran out of
// it stands here; so do, when the linking of a flat graph begins (flat.h), all nodes that are there.
// Every search compares with those that its walk did not meet, until somebody links them. The list
// runs through an array by node, so that to join it takes no memory. It is empty as a rule.
// Ownership: a part of GraphState.
// Threads: readers, inside an epoch, take no lock. Writers lock for a moment.
// Cost: joining, contains() and leaving from the front are O(1); leaving from elsewhere walks.
//
// Invariants:
//   G12 A node joins once in the life of its slot, at the end, before it is shown or before anybody
//       looks here (G14), and leaves when its links are made or its slot is about to come back, never
//       because it was condemned: readers may be inside for whom it counts. What it leads on to stays as it is
//       until then, so that a reader who stands on one that has left goes on to all that followed.
//       Who joins after the last of all has left is not found from there: that reader's moment is
//       older.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/base/mutex.h"
#include "graph/arena.h"
#include "graph/types.h"

namespace vicinal::graph {

class LinkBacklog {
 public:
  /// Before a node below `limit` joins. One grows at a time.
  void grow(std::uint64_t limit) {
    next_.grow(limit);
    listed_.grow(limit / 64 + 1);
  }
  std::uint64_t bytes_held() const { return next_.bytes_held() + listed_.bytes_held(); }

  bool empty() const { return oldest() == kNoNode; }
  /// Who waits longest, or kNoNode.
  NodeId oldest() const { return head_.load(std::memory_order_acquire); }
  bool contains(NodeId node) const {
    return (listed_[raw(node) / 64].load(std::memory_order_acquire) & bit(node)) != 0;
  }
  /// The first node of the list that `wanted` accepts, or kNoNode.
  template <typename Wanted>
  NodeId first(const Wanted& wanted) const {
    NodeId node = oldest();
    while (node != kNoNode && !wanted(node)) node = next_[node].load(std::memory_order_acquire);
    return node;
  }
  /// Calls each(node) for every node of the list.
  template <typename Each>
  void for_each(const Each& each) const {
    for (NodeId node = head_.load(std::memory_order_acquire); node != kNoNode;
         node = next_[node].load(std::memory_order_acquire)) {
      each(node);
    }
  }

  /// No effect when the node is in the list.
  void join(NodeId node) noexcept {
    const internal::MutexLock lock(mutex_);
    if (contains(node)) return;
    listed_[raw(node) / 64].fetch_or(bit(node), std::memory_order_release);
    next_[node].store(kNoNode, std::memory_order_relaxed);
    (tail_ == kNoNode ? head_ : next_[tail_]).store(node, std::memory_order_release);
    tail_ = node;
  }
  /// No effect when the node is not in the list.
  void leave(NodeId node) noexcept {
    if (!contains(node)) return;
    const internal::MutexLock lock(mutex_);
    NodeId before = kNoNode;
    std::atomic<NodeId>* at = &head_;
    for (;;) {
      const NodeId here = at->load(std::memory_order_relaxed);
      if (here == kNoNode) return;  // somebody else took it out
      if (here == node) break;
      before = here;
      at = &next_[here];
    }
    at->store(next_[node].load(std::memory_order_relaxed), std::memory_order_release);
    if (tail_ == node) tail_ = before;
    listed_[raw(node) / 64].fetch_and(~bit(node), std::memory_order_release);
  }

 private:
  static std::uint64_t bit(NodeId node) { return std::uint64_t{1} << (raw(node) % 64); }

  mutable internal::Mutex mutex_;
  NodeId tail_ VICINAL_GUARDED_BY(mutex_) = kNoNode;
  std::atomic<NodeId> head_{kNoNode};
  SegmentedArray<std::atomic<NodeId>> next_;
  SegmentedArray<std::atomic<std::uint64_t>> listed_;  // a bit a node
};

}  // namespace vicinal::graph
