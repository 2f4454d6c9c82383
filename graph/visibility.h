// Visibility: which nodes a reader counts. Every search sees one moment.
//
// What: a node is shown by a step and hidden by a later one, and bears the numbers of both. A step
// (an upsert, an erasure, a batch or a round of one) takes the next number, stores it into what it
// changes, and publishes it last. A reader asks for the published number once, after it has entered
// its epoch, and keeps it to its end: a node counts for it that was shown at or before its number
// and not hidden by then. Nothing a reader does depends on steps that come meanwhile, and no step
// waits for it.
// Ownership: a part of GraphState; borrows its epochs.
// Threads: readers take no lock. Steps serialize each other by one mutex, held for a few stores a
// node.
//
// Invariants (tests/graph/visibility_test.cc and tests/interleaving have them by name):
//   V1  `hidden` is read before `shown`, both with acquire. A slot comes back when no reader is
//       left whose number lies below its `hidden`; its next node stores shown = never, then hidden
//       = never. So a reader never joins one life's `hidden` with another's `shown`.
//   V2  A mark says "counts for everybody" only while no reader is inside, or can come, whose
//       number is below `shown`; it is taken back before `hidden` is stored. It is set by whoever
//       finds that it may be, from kByNumbers alone: what is being hidden is kHidden before that.
//   V3  before(n) is the node that n's label had when n came. Who comes through the label map to a
//       node shown after his number goes on to that one. It cannot be reused while he is inside: it
//       was hidden by the step that showed n, or its slot came back only after n was found.
//   V4  A resurrection clears `hidden` and leaves `shown`: a reader that began while the label was
//       erased may count it, and none loses it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "engine/base/mutex.h"
#include "graph/arena.h"
#include "graph/epoch.h"
#include "graph/types.h"

namespace vicinal::graph {

class Visibility {
 public:
  /// Of a step; 0 is what opening finds. 64 bits do not run out. Not stored.
  using Number = std::uint64_t;
  static constexpr Number kNever = ~Number{0};
  explicit Visibility(EpochDomain& epochs) : epochs_(epochs) {}

  /// Makes nodes below `limit` usable. Throws std::bad_alloc, leaving what was there. One grows at a
  /// time; where nodes are taken over from pieces no life may begin, and no step be on, beside it.
  void grow(std::uint64_t limit, std::uint64_t in_pieces = 0);
  /// What it keeps by node, for Pieces.
  std::array<TableRows, 3> tables();
  std::uint64_t bytes_held() const;

  // -- Readers, inside an epoch entered before number() was asked.

  /// The last step that is over.
  Number number() const { return number_.load(std::memory_order_acquire); }
  /// True when `node` counts for every reader there is: one byte is read. False says nothing.
  bool counts_for_all(NodeId node) const {
    return marks_[node].load(std::memory_order_acquire) == kForAll;
  }
  /// Whether `node` counts at `moment`. `unsettled` becomes true when it does and a settle() is
  /// due.
  bool counts(NodeId node, Number moment, bool& unsettled) const {
    return counts_for_all(node) || counts_by_numbers(node, moment, unsettled);
  }
  /// The node that stood for its label at `moment`, by the one that stands for it now; kNoNode when
  /// none did (V3).
  NodeId stood(NodeId now, Number moment) const;

  /// Finds out up to which number all readers have come, so that counts() can mark what was shown
  /// by then. Never waits. From outside of any epoch: a reader inside is waited for.
  void settle() const;

  // -- Writers.

  /// For loading, while nobody reads: a live node or a tombstone of before.
  void restore(NodeId node, bool live);
  /// The slot is filled; a step will show the node (V1). `before`: see V3.
  void begin_life(NodeId node, NodeId before);

  /// A hidden node that must not be condemned, and that again. Inside a step.
  void pin(NodeId node) { marks_[node].store(kPinned, std::memory_order_release); }
  void unpin(NodeId node) {
    std::uint8_t pinned = kPinned;
    marks_[node].compare_exchange_strong(pinned, kHidden, std::memory_order_acq_rel);
  }
  bool pinned(NodeId node) const { return marks_[node].load(std::memory_order_acquire) == kPinned; }

  /// One step, from its construction to its end.
  /// Threads: one at a time, others wait.
  class VICINAL_SCOPED_CAPABILITY Step {
   public:
    explicit Step(Visibility& visibility) VICINAL_ACQUIRE(visibility.steps_)
        : v_(visibility),
          lock_(v_.steps_),
          number_(v_.number_.load(std::memory_order_relaxed) + 1) {}
    ~Step() VICINAL_RELEASE() { v_.number_.store(number_, std::memory_order_release); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

    void show(NodeId node);
    void hide(NodeId node);
    void unhide(NodeId node);

   private:
    Visibility& v_;
    const internal::MutexLock<internal::Mutex> lock_;
    const Number number_;
  };
  NodeId before(NodeId node) const { return before_[node].load(std::memory_order_acquire); }

 private:
  struct Numbers {
    std::atomic<Number> shown;
    std::atomic<Number> hidden;
  };
  enum Mark : std::uint8_t { kByNumbers = 0, kForAll = 1, kHidden = 2, kPinned = 3 };

  bool counts_by_numbers(NodeId node, Number moment, bool& unsettled) const;

  EpochDomain& epochs_;
  // New elements are zeros: hidden since 0, so that they count for nobody.
  SegmentedArray<Numbers> numbers_;
  SegmentedArray<std::atomic<NodeId>> before_;
  mutable SegmentedArray<std::atomic<std::uint8_t>> marks_;

  internal::Mutex steps_;
  mutable internal::Mutex settling_;
  std::atomic<Number> number_{0};
  mutable std::atomic<Number> settled_{0};  ///< no reader's number is below it any more
  /// What settled_ will be once all readers of the epoch next_settled_tag_ have left.
  mutable Number next_settled_ VICINAL_GUARDED_BY(settling_) = 0;
  mutable std::uint64_t next_settled_tag_ VICINAL_GUARDED_BY(settling_) = 0;
};

}  // namespace vicinal::graph
