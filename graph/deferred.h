// Deferred payload: rows, norms and codes that come into memory after opening.
//
// What: an index can be searched once its nodes and links are there; rows, norms and codes, most of
// the bytes, may follow. Until a node's are here, whoever compares with it reads its row from a
// PayloadSource and encodes it for that one comparison, by the same kernels and so to the same
// bits. Only load() writes into the arenas: a walk touches rows all over them, and each would first
// clear a huge page of its own.
// Ownership: of the source; borrows the GraphState it is a part of.
// Threads: defer() while nobody reads the node, the others from any thread.
//
// Invariants:
//   D1  A node is waiting, then busy (one thread writes its payload), then here, never back but for
//       a load that failed. "Here" is stored with release after the payload; who acquires it reads
//       plain memory.
//   D2  left() falls with release after that, so that whoever reads 0 finds everything here.
//   D3  A slot that is reused is here before its new payload is written.
//   D4  The row of a waiting node stands in the source as long as its slot is not reused: to be
//       inside an epoch keeps it there.
//   D5  After a row could not be read status() says why, for good; nothing that was computed since
//       counts.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "engine/base/allocator.h"
#include "graph/callbacks.h"
#include "graph/row_source.h"
#include "graph/types.h"
#include "vicinal/status.h"

namespace vicinal::graph {

class GraphState;

class DeferredPayload {
 public:
  /// Nodes below `limit` may wait.
  DeferredPayload(GraphState& g, std::unique_ptr<PayloadSource> source, std::uint64_t limit)
      : g_(g), source_(std::move(source)), states_(limit) {}
  DeferredPayload(const DeferredPayload&) = delete;
  DeferredPayload& operator=(const DeferredPayload&) = delete;

  /// `node`, whose label and level are written, waits.
  void defer(NodeId node);

  std::uint64_t left() const { return left_.load(std::memory_order_acquire); }
  bool here(NodeId node) const {
    return raw(node) >= states_.size() ||
           states_[raw(node)].load(std::memory_order_acquire) == kHere;
  }
  /// Before a slot is written anew (D3): nothing waits for the old payload any more.
  void take_over(NodeId node);

  /// Rows of waiting nodes for one caller, inside an epoch. Null, and status() says why, when the
  /// source cannot be read; null also while it is busy for who asks in ascending order.
  std::unique_ptr<RowSource> rows(PayloadSource::Order order);
  /// The row of a node out of rows(), which may be null; one of zeros, and status() says why, when
  /// it cannot be had.
  const float* row(RowSource* rows, NodeId node, internal::Vector<float>& zeros);

  /// Loads what waits, with at most `threads` threads, a slice of consecutive nodes at a time. May
  /// run several times at once: they share the slices. kCancelled when `step` said so, between two
  /// slices.
  Status load(unsigned threads, const StepCallback& step);

  Status status() const;
  std::uint64_t bytes() const { return states_.size(); }

 private:
  enum State : std::uint8_t { kHere = 0, kWaiting = 1, kBusy = 2 };

  void load_slice(std::uint64_t slice);
  void load_nodes(std::uint64_t first, std::uint64_t last);
  bool claim(NodeId node);
  void arrived(NodeId node);
  Status unreadable(NodeId node, const RowSource* rows) const;
  void fail(const Status& status);

  GraphState& g_;
  const std::unique_ptr<PayloadSource> source_;
  internal::Vector<std::atomic<std::uint8_t>> states_;
  std::atomic<std::uint64_t> left_{0};
  std::atomic<std::uint64_t> next_slice_{0};
  std::atomic<bool> failed_{false};
  mutable std::mutex failure_mutex_;
  Status failure_;  ///< under failure_mutex_
};

}  // namespace vicinal::graph
