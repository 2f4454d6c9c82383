// HDF5 files: where the rows of one of their arrays stand.
//
// Ownership: none.
// Threads: one at a time; forks, so best before others are started.
#pragma once

#include "tools/matrix/formats.h"
#include "tools/matrix/input_file.h"
#include "tools/matrix/matrix.h"
#include "vicinal/status.h"

namespace vicinal::matrix {

/// The layout of the array that `wanted` names, by X1 and X2. Where the array is packed or in
/// chunks, `file` is replaced by one that has its rows as they are.
/// Errors: kInvalidArgument  no HDF5, damaged, no such array, no matrix of real numbers, or built
///         without libhdf5; kIoError (a temporary file, a child); kCancelled.
Result<RowLayout> hdf5_layout(InputFile& file, const Wanted& wanted);

}  // namespace vicinal::matrix
