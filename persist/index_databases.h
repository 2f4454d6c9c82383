// IndexDatabases: the five databases of an index, named "<id>.<part>" (FORMAT.md).
//
// Ownership: handles belong to the environment and are valid while it lives, unless dropped.
// Threads: functions over a transaction; open() and drop() inside Environment::with_handles.
#pragma once

#include <cstdint>

#include "persist/lmdb_env.h"
#include "vicinal/status.h"

namespace vicinal::persist {

struct IndexDatabases {
  DatabaseHandle meta = 0;
  DatabaseHandle vectors = 0;
  DatabaseHandle nodes = 0;
  DatabaseHandle links = 0;
  DatabaseHandle journal = 0;

  /// `index` is the numeric id. kCorruption when one is missing and not to be made.
  static Result<IndexDatabases> open(Transaction& transaction, std::uint32_t index, bool create);
  static Status drop(Transaction& transaction, std::uint32_t index);
};

}  // namespace vicinal::persist
