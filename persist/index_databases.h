// The five databases that all indexes share, and the ranges of one index in them.
//
// Ownership: handles belong to the environment and are valid while it lives.
// Threads: open() inside Environment::with_handles; the rest are plain values.
#pragma once

#include <array>
#include <cstdint>

#include "persist/index_range.h"
#include "persist/lmdb_transaction.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// What one index has in each of them.
struct IndexDatabases {
  IndexRange meta = {};
  IndexRange vectors = {};
  IndexRange nodes = {};
  IndexRange links = {};
  IndexRange journal = {};
};

class SharedDatabases {
 public:
  static constexpr std::size_t kCount = 5;
  /// Their names, in the order of IndexDatabases.
  static constexpr std::array<const char*, kCount> kNames = {"meta", "vectors", "nodes", "links",
                                                             "journal"};

  /// kCorruption when one is missing and not to be made.
  Status open(Transaction& transaction, bool create);
  /// `index` is the numeric id.
  IndexDatabases of(std::uint32_t index) const;
  const std::array<DatabaseHandle, kCount>& handles() const { return handles_; }

 private:
  std::array<DatabaseHandle, kCount> handles_{};
};

}  // namespace vicinal::persist
