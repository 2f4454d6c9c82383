// LabelClaims: who may change a label right now.
//
// What: an operation on a label claims it first, and waits while another operation holds the claim.
// A claim is an entry in a set, not a lock: no mutex is held during commits or linking. Threads:
// any. An operation on several labels claims them in ascending order, and nobody claims more while
// holding a claim: hence no deadlock (E1).
#pragma once

#include <tsl/robin_set.h>

#include <array>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <span>
#include <vector>

#include "vicinal/types.h"

namespace vicinal::engine {

/// Spreads labels over shards and hash buckets: callers count labels up from 0, or use bit fields.
constexpr std::uint64_t mix_label(Label label) {
  std::uint64_t x = label;
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdull;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ull;
  return x ^ (x >> 33);
}
/// A batch holds the locks of all shards while it is shown, and the thread sanitizer cannot follow
/// more than 64.
inline constexpr unsigned kShardBits = 5;
inline constexpr std::size_t kShards = std::size_t{1} << kShardBits;
constexpr std::size_t shard_of(Label label) { return mix_label(label) >> (64 - kShardBits); }

class LabelClaims {
 public:
  /// Holds the claims on its labels until it dies.
  class Held {
   public:
    Held(LabelClaims& claims, std::vector<Label> labels);
    ~Held();
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    /// What is held: ascending, no repeats.
    std::span<const Label> labels() const { return labels_; }

   private:
    LabelClaims& claims_;
    const std::vector<Label> labels_;
  };

  /// As Held for one label, without an allocation.
  class HeldOne {
   public:
    HeldOne(LabelClaims& claims, Label label) : claims_(claims), label_(label) {
      claims_.acquire(label_);
    }
    ~HeldOne() { claims_.release(label_); }
    HeldOne(const HeldOne&) = delete;
    HeldOne& operator=(const HeldOne&) = delete;

   private:
    LabelClaims& claims_;
    const Label label_;
  };

 private:
  struct Hash {
    std::size_t operator()(Label label) const { return mix_label(label); }
  };
  struct alignas(64) Shard {
    std::mutex mutex;
    std::condition_variable released;
    tsl::robin_set<Label, Hash> held;
    std::size_t waiting = 0;
  };

  void acquire(Label label);
  void release(Label label);

  std::array<Shard, kShards> shards_;
};

}  // namespace vicinal::engine
