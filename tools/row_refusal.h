// Rows and queries that an index refuses, by their place in the file.
//
// Ownership: none.
// Threads: one at a time.
#pragma once

#include "tools/matrix/matrix.h"
#include "vicinal/index.h"
#include "vicinal/status.h"

namespace vicinal::tools {

/// What `index` says of the first row of `batch` that it cannot take as a query, with the file and the
/// row's place in it; OK when there is none.
Status refused_query(const Index& index, const matrix::Reader& reader, const matrix::Batch& batch);

/// The same of the first row that an index with `options` cannot store, asked of one in memory.
Status refused_row(const IndexOptions& options, const matrix::Reader& reader,
                   const matrix::Batch& batch);

}  // namespace vicinal::tools
