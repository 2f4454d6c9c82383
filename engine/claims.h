// LabelClaims: who may change a label right now.
//
// What: an operation on a label claims it first, and waits while another operation holds the claim.
// A claim is an entry in a set, not a lock: no mutex is held during commits or linking. A callback
// of a call that holds claims is refused what it would have to wait for.
// Ownership: the table of what is held is the process's, so that an index costs nothing here; Held
// and HeldOne borrow the claims that they hold.
// Threads: any.
//
// Invariants:
//   E1  An operation on several labels claims them in ascending order, and nobody waits for more
//       while holding a claim: hence no deadlock.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/base/mutex.h"
#include "vicinal/types.h"

namespace vicinal::engine {

/// Spreads labels over shards and hash buckets: callers count labels up from 0, or use bit fields.
constexpr std::uint64_t mix_label(Label label) {
  std::uint64_t x = label;
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdull;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ull;
  return x ^ (x >> 33);
}

class LabelClaims {
 public:
  /// Holds the claims on its labels until it dies; false, and holds nothing, when it was refused.
  class Held {
   public:
    Held(LabelClaims& claims, std::vector<Label> labels);
    ~Held();
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    /// What is held: ascending, no repeats.
    std::span<const Label> labels() const { return labels_; }
    explicit operator bool() const { return held_ == labels_.size(); }

   private:
    void release();

    LabelClaims& claims_;
    const std::vector<Label> labels_;
    std::size_t held_ = 0;  ///< of labels_, from the front
  };

  /// As Held for one label, without an allocation.
  class HeldOne {
   public:
    HeldOne(LabelClaims& claims, Label label)
        : claims_(claims), label_(label), held_(claims.acquire(label)) {}
    ~HeldOne() {
      if (held_) claims_.release(label_);
    }
    HeldOne(const HeldOne&) = delete;
    HeldOne& operator=(const HeldOne&) = delete;
    explicit operator bool() const { return held_; }

   private:
    LabelClaims& claims_;
    const Label label_;
    const bool held_;
  };

 private:
  bool acquire(Label label);
  void release(Label label);
};

}  // namespace vicinal::engine
