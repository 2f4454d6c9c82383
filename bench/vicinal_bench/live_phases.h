// The phases of vicinal-bench live, as a table.
#pragma once

#include <string>
#include <vector>

#include "bench/vicinal_bench/live_activities.h"
#include "bench/vicinal_bench/live_writers.h"
#include "vicinal/status.h"

namespace vicinal::bench {

enum class Tombstones { kNone, kOne, kRandom, kNear };

struct Phase {
  std::string name;
  Tombstones tombstones = Tombstones::kNone;
  double share = 0;  ///< of the preloaded that is erased before the phase
  WriteKind writes = WriteKind::kNone;
  unsigned writers = 0;
  ActivityKind activity = ActivityKind::kNone;
  /// One slow writer; of inserts, unless `writes` says otherwise: tombstones would hide what a
  /// search beside the activity does in an index without any.
  bool trickle = false;
  bool store_only = false;  ///< has no meaning in memory

  bool at_rest() const { return writers == 0 && activity == ActivityKind::kNone; }
  bool batch() const {
    return activity == ActivityKind::kBatchQuarter || activity == ActivityKind::kBatchTenfold;
  }
};

/// All, in the order in which the least has to be built.
const std::vector<Phase>& all_phases();

/// The named ones in that order; all that apply when there are no names.
/// Errors: kInvalidArgument a name that is none, or one that needs a store.
Result<std::vector<Phase>> choose_phases(const std::vector<std::string>& names, bool stored);

/// Rows that a phase's index is built of, when the base has `rows` and `preload` were asked for.
std::uint64_t preload_of(const Phase& phase, std::uint64_t preload, std::uint64_t rows);

}  // namespace vicinal::bench
