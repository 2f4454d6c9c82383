// disk_status(): what a refused write says when the disk is the cause.
//
// Why: LMDB calls a write that was cut short an input/output error, whatever cut it.
// Threads: any.
#pragma once

#include <cstdint>
#include <string>

#include "vicinal/status.h"

namespace vicinal::persist {

/// The answer for `code`, an errno or LMDB's, of `what` ("committing") in a file in the folder of
/// `path`. kFull, with the path, the bytes that were wanted (at least) and those that are free,
/// when the disk, a quota or the limit of a file's size is the cause; else as lmdb_status().
Status disk_status(int code, const std::string& what, const std::string& path,
                   std::uint64_t wanted);

}  // namespace vicinal::persist
