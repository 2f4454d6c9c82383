// RecallTable: which ef gives which recall, learned from samples.
//
// What: a sample is a query of which the nearest are known, sought by walks of rising width. Of its
// nearest 1, 2, ..., as deep as it goes, each walk found a share. The table is the mean of these
// shares by width and depth, and reads between them along lines of log(1 - recall) over log(width).
// It has two kinds of sample: the index's own vectors, which are always to be had, and queries that
// were asked, which count for more the more of them there are.
// Threads: add(), renew() and reset() one at a time; everything else beside them, from any thread, without a lock: a
// reader may see some means of before a sample and some of after it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace vicinal::engine {

/// Widths and depths: seven to a factor of ten, so that 1, 10, 100 and 1,000 are among them.
inline constexpr std::array<std::uint32_t, 26> kRecallSteps = {
    1,   2,   3,   4,   5,   7,   10,  14,   19,   27,   37,   52,   72,
    100, 139, 193, 268, 373, 518, 720, 1000, 1389, 1931, 2683, 3728, 5179};

/// The last step that is a depth: no sample looks for more of the nearest.
inline constexpr std::size_t kDeepest = 20;
static_assert(kRecallSteps[kDeepest] == 1000);

/// The first step of at least `value`, or the last one.
std::size_t recall_step(std::size_t value);

/// What the walks for one query found.
struct RecallSample {
  /// By step of width and step of depth, the share found; only where the depth is no more than the
  /// width, and both were sought.
  std::array<std::array<float, kDeepest + 1>, kRecallSteps.size()> found{};
  std::size_t depths = 0;  ///< steps of depth that were sought
};

/// The ef for the nearest `k` by one that is known for as many as samples go: where k is deeper, the walk is
/// as many times wider than k as it is there.
std::size_t deeper(std::size_t ef, std::size_t k);

class RecallTable {
 public:
  enum class Source : std::uint8_t { kOwnVectors, kQueries };

  void add(const RecallSample& sample, Source source);
  /// Forgets the own vectors' samples, and the queries' but for a few.
  void renew();

  /// Samples of each kind.
  std::uint64_t samples(Source source) const;
  /// Recall of the nearest `k` by walks of kRecallSteps[width]; negative where it is not known.
  double recall(std::size_t k, std::size_t width) const;
  /// The least ef that is expected to find the share `recall`, below 1, of the nearest `k`: at least
  /// k. 0 where nothing is known of that k.
  std::size_t ef_for(std::size_t k, double recall) const;

 private:
  struct Sums {
    double found = 0;
    double squares = 0;  ///< of the shares found
    double samples = 0;

    void add(double share);
    void weigh(double factor);
    double mean() const { return found / samples; }
    double variance() const;
  };
  struct Cell {
    Sums own;
    Sums asked;
    std::atomic<float> mean{-1.0f};

    double own_weight() const;
    void publish();
  };

  double mean(std::size_t width, std::size_t depth) const {
    return cells_[width][depth].mean.load(std::memory_order_relaxed);
  }

  std::array<std::array<Cell, kDeepest + 1>, kRecallSteps.size()> cells_;
  std::atomic<std::uint64_t> own_samples_{0};
  std::atomic<std::uint64_t> asked_samples_{0};
};

}  // namespace vicinal::engine
