// One turn of measure_live(): a thread searches an engine for half a second, perhaps while another
// inserts, and what it found is judged afterwards.
//
// Rows are inserted in the order of their numbers, so "which rows are in" is a number.
// A search is judged by the rows whose insert had returned before it began; a row whose insert ran
// beside the search may be found or not: it counts neither way.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "bench/compare/dataset.h"
#include "bench/compare/engine.h"

namespace vicinal::bench {

/// Exact neighbors among the rows that are live, whichever these are at the moment.
class LiveTruth {
 public:
  /// Computes, by `threads` threads, the rows near each query as far as `k` live ones among them
  /// need.
  LiveTruth(const Dataset& data, std::size_t k, unsigned threads);

  void set_erased(std::size_t row, bool erased);
  /// Of the rows [0, count).
  std::size_t live(std::size_t count) const { return count - erased_count_; }

  /// Recall of `found`, when the rows [0, before) were in as the search began and the rows
  /// [before, after) came while it ran.
  double recall(std::size_t query, std::span<const Label> found, std::size_t before,
                std::size_t after) const;

 private:
  std::size_t k_;
  matrix::Truth nearest_;
  std::vector<bool> erased_;
  std::size_t erased_count_ = 0;
};

/// What is measured of a turn; the CPU's are the searching thread's.
inline constexpr std::array kSpeedNames = {"p50", "p99", "cpu_p50", "cpu_p99", "qps"};

struct Turn {
  std::array<double, kSpeedNames.size()> speeds = {};  ///< microseconds, and searches a second
  double recall = 0;
  std::size_t searches = 0;
  std::size_t short_answers = 0;  ///< fewer than k, or than were live
  std::size_t inserts = 0;
  double insert_seconds = 0;
};

struct TurnOptions {
  std::size_t k = 10;
  std::size_t ef = 80;
  double seconds = 0.5;
  std::size_t first_query = 0;  ///< two turns from the same query on are about the same searches
};

/// The rows [next, end) are there to be inserted.
struct RowsToInsert {
  const matrix::Matrix& base;
  std::size_t next = 0;
  std::size_t end = 0;
};

/// Searches `engine`, which holds the rows [0, rows.next). When `writes`, a second thread inserts
/// the following ones as fast as it can and moves `rows.next`; the turn ends early when none are
/// left.
/// Errors: those of the inserts.
Result<Turn> take_turn(Engine& engine, const matrix::Matrix& queries, const LiveTruth& truth,
                       const TurnOptions& options, RowsToInsert& rows, bool writes);

}  // namespace vicinal::bench
