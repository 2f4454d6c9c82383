// What is erased before the tombstone phases, and how much slower searching is at equal recall.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/vicinal_bench/live_recall.h"
#include "bench/vicinal_bench/live_world.h"
#include "tools/matrix/matrix.h"
#include "vicinal/types.h"

namespace vicinal::bench {

/// An order of all preloaded rows, of which a phase erases the first.
struct EraseOrder {
  std::vector<std::uint32_t> rows;
  struct Near {
    std::uint64_t query = 0;
    std::uint64_t end = 0;  ///< its nearest stand before this place in `rows`
  };
  std::vector<Near> near;  ///< ascending by `end`; empty when the order is random

  std::vector<std::uint32_t> first(std::uint64_t count) const;
  /// Queries all of whose nearest are among the first `count`.
  std::vector<std::uint64_t> emptied(std::uint64_t count) const;
};

EraseOrder random_order(std::uint64_t rows, std::uint64_t seed);

/// The nearest 100 of one query after the other, of a random half of them; then the others at
/// random.
EraseOrder near_order(const matrix::Matrix& base, std::uint64_t rows, const matrix::Matrix& query,
                      Metric metric, std::uint64_t seed);

struct EqualRecall {
  bool reached = false;  ///< false: the measured index does not come to the control's recall
  double ef = 0;         ///< of the measured index, between two that were tried
  double p50_x = 0;      ///< by the control at `ef` as given
};

/// Searches the measured index at several ef, and the control at the one given, in turns; the ratio
/// of medians by the thread's clock where the measured recall is the control's. Both are quiet;
/// `truth` ranks what is live in them.
Result<EqualRecall> equal_recall(LiveWorld& world, const matrix::Matrix& query,
                                 const Ranking& truth, std::size_t k, std::size_t ef);

}  // namespace vicinal::bench
