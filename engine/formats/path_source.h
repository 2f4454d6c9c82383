// A file of the system as a source of bytes.
//
// Ownership: the source owns the descriptor; copies share it.
// Threads: its `read` from any thread.
#pragma once

#include <string>

#include "vicinal/hnswlib.h"
#include "vicinal/status.h"

namespace vicinal::formats {

/// Opens `path` for reading.
/// Errors: kNotFound; kIoError; kInvalidArgument (not a regular file).
Result<HnswlibSource> open_path(const std::string& path);

}  // namespace vicinal::formats
