// Recall of answers that were given while the index changed, against exact search.
//
// How: all rows that were live at any time of the phase are ranked by exact distance, once a query.
// For an answer the ranking is walked from the nearest: a row that was live for all of the search
// is wanted; one whose label was being written may stand in the answer, and then takes a place, or
// not, and then is passed over; until k places are given. So labels written while the query ran
// neither help nor hurt.
// Threads: rank() runs its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/vicinal_bench/live_history.h"
#include "bench/vicinal_bench/live_tally.h"
#include "tools/matrix/matrix.h"
#include "vicinal/types.h"

namespace vicinal::bench {

/// Row numbers of the base, nearest first, `columns` a query.
struct Ranking {
  std::vector<std::uint32_t> rows;
  std::size_t columns = 0;
};

/// Ranks `rows` of `base`, deep enough to find k that did not change in a phase.
Ranking rank(const matrix::Matrix& base, const std::vector<std::uint32_t>& rows,
             const matrix::Matrix& query, Metric metric, std::size_t k);

struct Verdict {
  struct Share {
    double found = 0;
    double wanted = 0;
  };
  std::vector<Share> by_query;
  std::uint64_t judged = 0;     ///< answers
  std::uint64_t dead_hits = 0;  ///< labels in them that were not live at any moment of the search
};

Verdict judge(const History& history, const Ranking& ranking, const Answers& answers,
              std::size_t k);

/// Recall over the queries that `other` judged too (and `only`, unless empty, names), so that two
/// indexes are asked the same. 1 when nothing was wanted.
double recall(const Verdict& verdict, const Verdict& other,
              const std::vector<std::uint64_t>& only = {});

}  // namespace vicinal::bench
