// The live set that vicinal-bench churn erases from and inserts into, round by round.
//
// What: every label is used once; its vector is a row of the base that is not live at the time.
// Rows come back in the order in which they were erased, so a base larger than the live set gives
// vectors that have been away for long.
// Ownership: refers to the base and the index, owns the bookkeeping.
// Threads: churn() and repair() run their own; everything else is one thread's.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

#include "bench/vicinal_bench/common.h"
#include "tools/matrix/matrix.h"
#include "vicinal/index.h"

namespace vicinal::bench {

struct ChurnShape {
  std::uint64_t live = 0;
  double fraction = 0.2;
  unsigned writers = 1;
  unsigned searchers = 0;
  std::uint64_t repair_slice = 1000;
  std::size_t k = 10;
  std::size_t ef = 100;
  std::uint64_t seed = 1;
};

/// What one phase of a round took; pauses are the slowest single call that a user waited for.
struct PhaseTimes {
  double seconds = 0;
  double longest_write = 0;
  double longest_search = 0;
  double longest_slice = 0;  ///< of repair
};

/// Quality and speed of an index over the live set.
struct Quality {
  double recall = 0;
  double qps = 0;
};

class ChurnWorld {
 public:
  /// The last rows of `base` from `rows` on are not used.
  ChurnWorld(const matrix::Matrix& base, std::uint64_t rows, const matrix::Matrix& query,
             const ChurnShape& shape);

  /// Vectors replaced a round.
  std::uint64_t replaced() const { return replaced_; }

  /// Upserts the present live set into an empty index, in one batch.
  Status fill(Index& index, const ProgressCallback& progress = {}) const;
  /// Erases a random part of the live set and inserts as many others, by single calls.
  Result<PhaseTimes> churn(Index& index);
  /// Runs a whole pass of repair in slices, with searches beside it.
  Result<PhaseTimes> repair(Index& index);
  /// Recall against exact search, and single-threaded speed (best of three passes).
  Result<Quality> quality(const Index& index, unsigned threads) const;

 private:
  struct Entry {
    Label label = 0;
    std::uint32_t row = 0;
  };
  struct Replacement {
    Label erased = 0;
    Entry inserted;
  };

  std::vector<Replacement> plan_round();
  Status write_part(Index& index, const std::vector<Replacement>& plan, unsigned writer,
                    double& longest) const;
  /// Searches until `stop`; keeps the slowest.
  Status search_until(const Index& index, const std::atomic<bool>& stop, unsigned searcher,
                      double& longest) const;
  SearchOptions options() const;

  const matrix::Matrix& base_;
  const matrix::Matrix& query_;
  ChurnShape shape_;
  std::uint64_t replaced_;
  std::vector<Entry> live_;
  std::deque<std::uint32_t> away_;  ///< rows that are not live, longest away first
  Label next_label_ = 0;
  std::mt19937_64 random_;
};

}  // namespace vicinal::bench
