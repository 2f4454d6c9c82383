// The data of one comparison: base, queries and exact neighbors, found in a folder or named.
#pragma once

#include <string>

#include "tools/matrix/matrix.h"
#include "vicinal/status.h"

namespace vicinal::bench {

struct DatasetFiles {
  std::string folder;  ///< holds base.*, query.* and perhaps truth.ivecs
  std::string base;    ///< these three override what the folder holds
  std::string query;
  std::string truth;
  std::string name;  ///< empty: the folder's name
};

struct Dataset {
  std::string name;
  matrix::Matrix base;
  matrix::Matrix query;
  matrix::Truth truth;
  /// Rows of length one, for the peers that know inner products only.
  matrix::Matrix unit_base;
  matrix::Matrix unit_query;
  bool truth_computed = false;
};

/// Loads all, and computes by `threads` threads what truth.ivecs would have held when there is
/// none.
/// Errors: also kInvalidArgument  the files do not belong together: another dimension, too few
///         neighbors, or neighbors that the base has not.
Result<Dataset> load_dataset(const DatasetFiles& files, std::size_t k, unsigned threads);

}  // namespace vicinal::bench
