// One phase of vicinal-bench live: who writes, what goes on, and the searches beside it in turns.
//
// Threads: run_phase() searches on the calling thread; it starts and joins all others.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/vicinal_bench/common.h"
#include "bench/vicinal_bench/live_history.h"
#include "bench/vicinal_bench/live_phases.h"
#include "bench/vicinal_bench/live_tally.h"
#include "bench/vicinal_bench/live_world.h"
#include "tools/matrix/matrix.h"

namespace vicinal::bench {

struct LiveShape {
  std::uint64_t preload = 0;
  std::size_t k = 10;
  std::size_t ef = 100;
  double seconds = 4;  ///< of searching a phase, measured and control together
  /// Of the index, what the writers of a phase write in `seconds`, at an even pace: so that an
  /// index in use is measured and not one that grew by half. 0: as fast as they can.
  double write_share = 0.1;
  double longest = 600;  ///< seconds after which what goes on is cancelled
  std::uint64_t seed = 1;
};

struct PhaseOutcome {
  PhaseOutcome(std::uint64_t queries, std::uint64_t seed)
      : measured(queries, seed),
        control(queries, seed),
        after_measured(queries, seed),
        after_control(queries, seed) {}

  Tally measured;
  Tally control;
  Tally after_measured;  ///< at rest, as the phase left it; empty for phases at rest
  Tally after_control;
  std::vector<Write> log;    ///< everything written to the measured index
  Latencies writes;          ///< single ones, while the activity ran
  Latencies control_writes;  ///< the same into the bystander
  std::uint64_t rounds = 0;
  std::uint64_t live = 0;
  std::uint64_t tombstones = 0;
};

/// `world` is prepared for the phase. Measured and control are searched in turns of half a second
/// (a quarter of `seconds` when that is less), both while the writing goes on and the activity is
/// at work. Ends after `seconds` of searching, but not before the activity's first round, and with
/// a batch.
/// Errors: kCancelled  interrupted; and those of every call.
Result<PhaseOutcome> run_phase(LiveWorld& world, const matrix::Matrix& query,
                               const LiveShape& shape, const Phase& phase);

}  // namespace vicinal::bench
