// The JSON line of one phase of vicinal-bench live.
//
//   search_*_us       the measured index, by the wall; search_cpu_us the mean by the thread's clock
//   search_waits      how often the searching thread went to sleep inside a search
//   *_x               divided by the control: by the wall, cpu_* by the thread's clock; null when
//                     there is nothing to divide
//   after_*_x         the same when the phase is over and nothing goes on: what is due to the state
//                     it left (more vectors, tombstones) and not to the writing
//   recall            mean over queries, see live_recall.h; control_recall of the same queries
//   short_answers     fewer hits than min(k, the fewest labels live during the search)
//   dead_hits         labels in judged answers that were not live at any moment of the search
//   write_*_us        single writes that began while the activity ran; control_write_* the same
//                     thread's into a small index in which nothing else goes on
//   rounds            how often the activity came to its end
//   fresh_recall, p50_x_equal_recall, ef_equal_recall, near_*   tombstone phases: recall of a graph
//                     built of what is live; the ratio of medians (by the thread's clock) at its
//                     recall, and the ef this takes, null when none was enough; over the queries
//                     whose nearest were erased
#pragma once

#include "bench/vicinal_bench/common.h"
#include "bench/vicinal_bench/live_phases.h"
#include "bench/vicinal_bench/live_recall.h"
#include "bench/vicinal_bench/live_run.h"

namespace vicinal::bench {

/// What the exact searches after a phase said.
struct PhaseRecall {
  Verdict measured;
  Verdict control;
};

/// All fields but those of tombstone phases.
Json phase_line(const Phase& phase, const LiveShape& shape, const PhaseOutcome& outcome,
                const PhaseRecall& judged);

}  // namespace vicinal::bench
