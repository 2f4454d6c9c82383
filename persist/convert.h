// convert(): a store of format 1 becomes one of the present format.
//
// What: its records are copied as they are, with their index's id before the key, into a data file
// beside the old one, which then takes its name at once: a crash leaves the old store or the new
// one. Records are not looked into: what is damaged is damaged in the copy, and found by who loads
// it.
// Ownership: holds the writer's lock of the store.
// Threads: any; needs room for the copy.
#pragma once

#include <string>

#include "vicinal/status.h"

namespace vicinal::persist {

/// False when it is of the present format already.
/// Errors: kNotFound; kBusy while it is open for writing; kCorruption; kFormatVersion; kIoError,
/// kFull: nothing was changed.
Result<bool> convert(const std::string& path);

}  // namespace vicinal::persist
