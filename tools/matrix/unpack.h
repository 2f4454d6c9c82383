// Input that is no plain file: pipes and gzip, written out to a file without a name.
//
// What: readers of rows want a file's size before they believe its header, and read it at any
// place; so what comes through a pipe, or is packed, goes to a temporary file first, in TMPDIR, else
// /var/tmp.
// Ownership: a descriptor that is answered is the caller's.
// Threads: any.
#pragma once

#include <cstdint>
#include <string>

#include "vicinal/status.h"

namespace vicinal::matrix {

/// Whether a file is gzip.
enum class Packing : std::uint8_t {
  kByContent,  ///< when its first bytes say so
  kNone,       ///< its first bytes are a number, and may be any
  kGzip,
};

/// Copies all that `descriptor` still gives. `name` is for messages.
/// Errors: kIoError  reading, or the temporary file (its folder named); kCancelled.
Result<int> spool(int descriptor, const std::string& name);

/// Unpacks all of the file `descriptor`.
/// Errors: kInvalidArgument  no gzip, damaged or cut; kIoError, kCancelled as above.
Result<int> gunzip(int descriptor, const std::string& name);

/// Whether the file begins as gzip does.
bool looks_packed(int descriptor);

}  // namespace vicinal::matrix
