// LabelSet: a set of labels, prepared once and used by any number of searches.
//
// What: an immutable value. It holds a finite set of labels, compressed, and whether that set or
// all labels but those are meant; `&`, `|`, `-` and `~` combine sets. Copies share what is stored,
// so a copy costs a reference count. Nothing in it belongs to an index: labels need not be live.
//
// Threads: every const method from any thread, on copies or the same object. Only assignment to,
// and destruction of, an object need the usual care.
//
// Memory: by the 65,536 values that share their upper 48 bits: next to nothing when the stored ones
// are a few unbroken ranges; else 8 KiB when they are more than 4,096, and 9 to 10 bytes a label
// when they are fewer. Arrays come from the allocator hook (memory.h), bitmaps from the C library's
// malloc.
//
// Errors: std::bad_alloc where a method says so; nothing else is thrown.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "vicinal/requirements.h"
#include "vicinal/types.h"

namespace vicinal {

namespace engine {
class StoredLabels;
}  // namespace engine

class LabelSet {
 public:
  /// The empty set.
  LabelSet() noexcept = default;
  /// The set of `labels`: in any order, repeats allowed. `labels` is not needed afterwards.
  /// Errors: std::bad_alloc.
  /// Cost: O(n log n), O(n) when ascending already; 8 bytes a label meanwhile.
  explicit LabelSet(std::span<const Label> labels);
  /// The set of every label there can be.
  static LabelSet all() noexcept;

  /// True when `label` is in the set. Takes no lock and allocates nothing.
  /// Cost: some tens of nanoseconds; at worst O(log n), when scattered labels crowd in places.
  bool contains(Label label) const noexcept;
  /// True when no label is in the set.
  bool empty() const noexcept { return stored_ == nullptr && !inverted_; }
  /// Labels in the set; 2^64 - 1 for all(), which has one more.
  /// Cost: O(1).
  std::uint64_t size() const noexcept;

  /// True when the set is every label but the stored ones.
  bool inverted() const noexcept { return inverted_; }
  /// Labels stored: those in the set or, when inverted(), those that are not.
  /// Cost: O(1).
  std::uint64_t stored() const noexcept;
  /// Calls `visit` for the stored labels, ascending, until it returns false or throws.
  /// Cost: O(stored()), a few nanoseconds and the call for each. Allocates nothing.
  void for_each_stored(const std::function<bool(Label)>& visit) const;
  /// Heap bytes held, about; copies hold the same bytes together.
  std::uint64_t bytes() const noexcept;

  /// The labels in both; in at least one; in `a` and not in `b`. Beside an empty set or all()
  /// nothing is copied.
  /// Errors: std::bad_alloc.
  /// Cost: O(a.stored() + b.stored()) at worst; where both are dense, 64 labels at a time.
  friend LabelSet operator&(const LabelSet& a, const LabelSet& b);
  friend LabelSet operator|(const LabelSet& a, const LabelSet& b);
  friend LabelSet operator-(const LabelSet& a, const LabelSet& b);
  /// Every label that is not in the set.
  /// Cost: O(1).
  LabelSet operator~() const noexcept { return {stored_, !inverted_}; }
  /// True when both sets have the same labels, however they were made.
  /// Cost: O(stored()) at worst, O(1) for copies.
  friend bool operator==(const LabelSet& a, const LabelSet& b) noexcept;

 private:
  using Stored = std::shared_ptr<const engine::StoredLabels>;
  LabelSet(Stored stored, bool inverted) noexcept
      : stored_(std::move(stored)), inverted_(inverted) {}

  Stored stored_;  // null when no label is stored
  bool inverted_ = false;
};

}  // namespace vicinal
