// What goes on beside the searches of a phase: batches and maintenance, round after round.
//
// What: an Activity runs in a thread of its own. Its gate is open while the thing itself runs, and
// closed while the next round is made ready; searches are measured that begin while it is open.
// Ownership: refers to the world.
// Threads: run() is one thread's; the rest anyone's.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "bench/vicinal_bench/live_history.h"
#include "bench/vicinal_bench/live_world.h"
#include "bench/vicinal_bench/live_writers.h"

namespace vicinal::bench {

enum class ActivityKind {
  kNone,
  kBatchQuarter,  ///< a quarter of the index, in one upsert_batch; once
  kBatchTenfold,  ///< ten times the index; once
  kRepair,        ///< of a twentieth of the index, erased before
  kCheckpoint,    ///< of a hundredth of the index, updated before
  kRebuild,
  kBackup,
  kValidateDeep,
  kOpenAgain,
};

class Activity {
 public:
  virtual ~Activity() = default;
  Activity(const Activity&) = delete;
  Activity& operator=(const Activity&) = delete;

  /// Rounds until `stop` (those that can be cancelled are), or the only one. Sets `stop` when one
  /// fails.
  Status run(std::atomic<bool>& stop);

  bool open() const { return open_; }
  bool over() const { return over_; }
  std::uint64_t rounds() const { return rounds_; }
  /// When the gate was open: from, to by now_ns(). Once run() has returned.
  const std::vector<std::pair<std::int64_t, std::int64_t>>& spans() const { return spans_; }
  /// Its writes, but for those of its Writer. Once run() has returned.
  virtual std::vector<Write> log() const { return {}; }

 protected:
  Activity() = default;
  virtual Status make_ready() { return {}; }
  /// kCancelled ends the rounds without an error.
  virtual Status round(const ProgressCallback& go_on) = 0;
  virtual bool once() const { return false; }

 private:
  std::atomic<bool> open_{false};
  std::atomic<bool> over_{false};
  std::atomic<std::uint64_t> rounds_{0};
  std::vector<std::pair<std::int64_t, std::int64_t>> spans_;
};

/// Null for kNone. `own` writes what the next round needs.
std::unique_ptr<Activity> make_activity(ActivityKind kind, LiveWorld& world, Writer& own);

}  // namespace vicinal::bench
