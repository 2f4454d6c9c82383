// Exact nearest neighbors, ordered by distances in double precision, ties by smaller row.
//
// How: float32 scores in blocks pick k and a margin of candidates a query; those are scored again
// in double from the rows as they are. When the error bound of the float32 scores cannot rule out
// that a row outside the margin belongs to the first k, the query is scanned again in double
// throughout.
// Threads: uses its own, none survives the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "tools/matrix/matrix.h"
#include "vicinal/types.h"

namespace vicinal::bench {

struct ExactResult {
  /// min(k, base.rows) row numbers a query, nearest first.
  std::vector<std::int32_t> rows;
  std::size_t columns = 0;
  std::uint64_t rescanned = 0;  ///< queries that needed the scan in double
};

/// `base` and `query` have one dimension; base has below 2^31 rows. `progress` (may be empty) hears
/// of the work done by all, in query-by-row pairs, from any of the threads; false from it ends the
/// work, and what is answered is then of no use.
ExactResult exact_neighbors(const matrix::Matrix& base, const matrix::Matrix& query, Metric metric,
                            std::size_t k, unsigned threads,
                            const std::function<bool(std::uint64_t)>& progress = {});

}  // namespace vicinal::bench
