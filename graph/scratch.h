// Scratch: everything a search or a mutation needs that is not shared, and the pool it is borrowed
// from.
//
// What: visited set, candidate pools, buffers, a participant of the epoch domain and the moment
// that a reader sees (graph::Moment). Borrowing enters the epoch, giving back leaves it.
// Ownership: a shelf owns its scratches; it grows to the number of calls that ran at once, without
// a limit. A graph that has links has a shelf of its own; flat ones (flat.h) share the process's.
// Threads: borrow and give_back from any thread, without a lock but where more are borrowed at once
// than ever before or than there are slots; a Scratch belongs to its borrower.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/base/allocator.h"
#include "engine/base/mutex.h"
#include "graph/candidates.h"
#include "graph/epoch.h"
#include "graph/found.h"
#include "graph/types.h"
#include "graph/visited.h"

namespace vicinal::graph {

class ScratchShelf;
class Topology;

struct Scratch {
  // Of a graph::Moment; of nobody else's.
  const Topology* topology = nullptr;
  EntryPoint entry;
  std::uint64_t number = 0;  ///< Visibility::Number
  bool unsettled = false;    ///< Visibility::settle() is due when the reader has left
  bool flat = false;         ///< there were no links when the moment began (flat.h)

  NodeId absent = kNoNode;  ///< that the walk takes for never linked (absent_node.h)

  VisitedSet visited;
  CandidatePool pool;    ///< candidates of the layer search: those that count
  CandidatePool others;  ///< those that do not and are walked through all the same

  internal::Vector<float> query;    ///< the query, normalized under cosine
  internal::Vector<float> rotated;  ///< what is being encoded
  internal::Vector<float> decoded;  ///< a stored row that is not float32
  internal::Vector<std::int8_t> query_codes;
  internal::Vector<std::int8_t> walk_codes;    ///< rotated, where rows are codes and are not
  internal::Vector<std::int8_t> sketch_query;  ///< the same where sketches want them
  internal::Vector<std::int8_t> side_codes;    ///< the same for a node that serves as a query
  internal::Vector<float> side_query;   ///< a second query: a candidate while links are selected
  internal::Vector<std::uint32_t> ids;  ///< survivors of one expansion
  internal::Vector<float> distances;    ///< of `ids`
  internal::Vector<Found> results;      ///< results being made
  internal::Vector<Found> met;          ///< by walks that were not enough
  internal::Vector<const std::byte*> rows;
  internal::Vector<std::uint64_t> copies;  ///< entries that the walk's pool left out (copies.h)
  internal::Vector<NodeId> nodes;          ///< to be looked at while copies are gathered
  internal::Vector<NodeId> backlog;        ///< as it was before a walk (link_backlog.h)

  std::uint64_t distances_computed = 0;
  std::uint64_t nodes_expanded = 0;

  /// Of all its buffers, as they were when it was given back last. Read by others.
  std::atomic<std::uint64_t> bytes{0};
  std::uint64_t bytes_held() const;

  EpochDomain::Participant* participant = nullptr;
  EpochDomain::Participant* linker = nullptr;  ///< among those who change links (linkers.h)
  ScratchShelf* shelf = nullptr;               ///< where it stands when it is not borrowed
  std::uint32_t home = 0;  ///< the slot of it at which its borrower begins to look
};

/// Scratches that nobody has at the moment.
class ScratchShelf {
 public:
  ScratchShelf() = default;
  ~ScratchShelf();
  ScratchShelf(const ScratchShelf&) = delete;
  ScratchShelf& operator=(const ScratchShelf&) = delete;

  /// One that stands here, or a new one. Throws std::bad_alloc.
  Scratch* take();
  void put(Scratch* scratch) noexcept;
  /// Of all scratches, as they were when they were put back last.
  std::uint64_t bytes() const;

 private:
  static constexpr std::size_t kSlots = 64;
  struct alignas(64) Slot {
    std::atomic<Scratch*> scratch{nullptr};
  };

  std::array<Slot, kSlots> slots_;
  mutable internal::Mutex mutex_;
  internal::Vector<Scratch*> all_ VICINAL_GUARDED_BY(mutex_);
  /// Given back while every slot was taken.
  internal::Vector<Scratch*> overflow_ VICINAL_GUARDED_BY(mutex_);
};

class ScratchPool {
 public:
  explicit ScratchPool(EpochDomain& epochs) : epochs_(epochs) {}
  ~ScratchPool() { delete own_.load(); }
  ScratchPool(const ScratchPool&) = delete;
  ScratchPool& operator=(const ScratchPool&) = delete;

  /// From now on scratches are its own, and have a participant among those who change links, the
  /// `linkers`, which end after the last borrower. Throws std::bad_alloc; no effect the second time.
  /// Not beside itself.
  void begin_linking(EpochDomain& linkers);
  Scratch* borrow();
  static void give_back(Scratch* scratch) noexcept;
  std::uint64_t bytes() const;
  /// Of a scratch that was borrowed since.
  EpochDomain& linkers() { return own_.load(std::memory_order_relaxed)->linkers; }

 private:
  struct Own {
    explicit Own(EpochDomain& of) : linkers(of) {}
    ScratchShelf shelf;
    EpochDomain& linkers;
  };

  EpochDomain& epochs_;
  std::atomic<Own*> own_{nullptr};  ///< owned; null until begin_linking()
};

/// A scratch for the length of a scope.
class BorrowedScratch {
 public:
  explicit BorrowedScratch(ScratchPool& pool) : scratch_(pool.borrow()) {}
  ~BorrowedScratch() { ScratchPool::give_back(scratch_); }
  BorrowedScratch(const BorrowedScratch&) = delete;
  BorrowedScratch& operator=(const BorrowedScratch&) = delete;

  Scratch& operator*() const { return *scratch_; }
  Scratch* operator->() const { return scratch_; }

 private:
  Scratch* const scratch_;
};

}  // namespace vicinal::graph
