// Rows that an index refuses, by their place in the file.
//
// Ownership: none.
// Threads: one at a time.
#pragma once

#include "tools/matrix/matrix.h"
#include "vicinal/index.h"
#include "vicinal/status.h"

namespace vicinal::tools {

/// What `index` says of the first row of `batch` that it cannot take, with the file and the row's
/// place in it; OK when there is none. The index is only asked.
Status refused_row(const Index& index, const matrix::Reader& reader, const matrix::Batch& batch);

}  // namespace vicinal::tools
