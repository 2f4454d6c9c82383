// History: what a workload did, when each call began and was acknowledged, and what then had to be.
//
// What: each writer has labels of its own, so that its calls form a line: after a power cut its
// labels are as one point of that line left them.
// Ownership: values.
// Threads: each writer its own lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tests/power/contents.h"
#include "vicinal/types.h"

namespace vicinal::testing {

inline constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

struct DoneCall {
  std::string what;
  std::size_t begun = 0;  ///< in the device's log
  std::size_t acknowledged = kNever;
  Contents after;  ///< of the writer's labels
};

/// A copy of the store, and what had to be in it.
struct DoneBackup {
  std::string path;  ///< below the root
  std::size_t acknowledged = kNever;
  Contents contents;
};

struct History {
  Durability durability = Durability::kFull;
  std::vector<std::vector<DoneCall>> lanes;  ///< by writer
  std::vector<DoneBackup> backups;
  std::string failure;  ///< of a call, when no disk was at fault

  /// Whose label it is.
  static std::size_t writer_of(Label label) { return static_cast<std::size_t>(label / kLabels); }
  static constexpr Label kLabels = 1000;
};

}  // namespace vicinal::testing
