// What a path holds, found out before LMDB maps anything.
//
// LMDB trusts its file: one of size 0 opens as an empty store. So the file's meta pages are read
// here with plain reads. Whether it is long enough, page_check.h says.
// Ownership: none.
// Threads: pure functions of the file system.
#pragma once

#include <cstdint>
#include <string>

#include "vicinal/status.h"

namespace vicinal::persist {

enum class PathContent {
  kAbsent,  ///< nothing there
  kEmpty,   ///< a folder with no data file, or one whose making was interrupted
  kStore,   ///< a folder with an LMDB data file that a transaction was committed to
};

/// Errors: kInvalidArgument (a file; a folder with other content), kIoError, kCorruption (not
/// LMDB's), kFormatVersion (another LMDB format).
Result<PathContent> examine_path(const std::string& path);

/// Makes the entries of a folder as durable as the files in it.
Status sync_folder(const std::string& path);

/// `mode`: of the file, if it is made.
/// Says in vicinal.lock that the store was made: an absent or empty data file is a loss from then
/// on.
Status mark_made(const std::string& path, std::uint32_t mode);
/// Whether it says so.
bool marked_made(const std::string& path);

}  // namespace vicinal::persist
