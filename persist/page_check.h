// The pages by which LMDB finds records, looked at before LMDB walks them.
//
// LMDB believes its pages: a bit flipped in a list of places or in the length of a record sends it
// anywhere in memory. No checksum of ours covers those pages, so opening a store reads each of them
// once with plain reads and holds it against what LMDB would do with it: branches and leaves, not
// the pages of large values.
// Cost: a few hundred pages for a million vectors of 384 dimensions; before a copy also 16 bytes of each
// large value.
// Ownership: none.
// Threads: any; other processes may write meanwhile, for a snapshot is read.
#pragma once

#include "persist/lmdb_env.h"
#include "vicinal/status.h"

namespace vicinal::persist {

enum class PageCheck : std::uint8_t {
  kToRead,   ///< what a walk relies on
  kToWrite,  ///< and what writers do: how nodes lie in their page, lists of free pages
  /// And what a compact copy does: the first pages of large values. Beside writers.
  kToCopy,
};

/// Errors: kCorruption with the page, or with the file's length where pages in use are missing;
/// kIoError.
Status check_pages(Environment& environment, PageCheck what);

}  // namespace vicinal::persist
