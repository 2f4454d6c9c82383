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
  kEmpty,  ///< a folder with no data file, or one whose making was interrupted: no commit was synced
  kStore,  ///< a folder with an LMDB data file that a transaction was committed to
};

/// Errors: kInvalidArgument (a file; a folder with other content), kIoError, kCorruption (not
/// LMDB's), kFormatVersion (another LMDB format). `unfinished`: a file that may be there too, besides
/// those of a store.
Result<PathContent> examine_path(const std::string& path, const std::string& unfinished = {});

/// Whether LMDB has no reason in them to refuse the data file.
bool has_sound_metas(const std::string& path);

/// What an interrupted making has left in the data file, if it is there, is taken away: LMDB begins
/// anew with an empty file only. For the holder of the writer's lock, of a folder that is kEmpty.
Status clear_unmade(const std::string& path);

/// Makes the names in a folder as durable as the files that they lead to.
Status sync_folder(const std::string& path);
/// And the names that lead to it: a folder that was made is in a folder that may have been made, too.
Status sync_path(const std::string& path);

/// Says in vicinal.lock that the store was made: an absent or empty data file is a loss from then
/// on. So the file and its name must be durable before.
/// `mode`: of the file, if it is made.
Status mark_made(const std::string& path, std::uint32_t mode);
/// Whether it says so.
Result<bool> marked_made(const std::string& path);

}  // namespace vicinal::persist
