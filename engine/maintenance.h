// Maintenance: what keeps an index's graph good: repair in slices, rebuilds.
//
// What: the turn at the graph's maintenance, whether repair is due, and the slices that an index
// without a background thread does on the way of its writes. One file a verb: repair.cc, rebuild.cc.
// Ownership: a part of IndexCore; borrows its state.
// Threads: every method from any thread. Who repairs on the way (a write, the store's thread) tries
// for the turn; nobody inside a callback waits for it (callback.h).
//
// Invariants:
//   E9  Nobody who holds claims on labels waits for the turn, and maintenance itself claims labels,
//       to free nodes, only when it has given the turn back: hence no deadlock of the two.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>

#include "engine/freeing.h"
#include "engine/index_state.h"
#include "engine/progress.h"
#include "engine/turn.h"
#include "graph/types.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::engine {

class Maintenance {
 public:
  /// `on_write` wakes the store's background thread; may be empty, or null without a store. It
  /// outlives this.
  Maintenance(IndexState& state, const std::function<void()>* on_write)
      : state_(state), on_write_(on_write), freeing_(state) {}
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

  // The verbs of Index (see there).
  Result<RepairResult> repair(const RepairOptions& options);
  Status rebuild(const BatchOptions& options);

  /// After `count` writes, no label held: wakes the background thread, or does the repair that is
  /// due by itself.
  void after_writes(std::uint64_t count) noexcept;
  /// As many slices of repair as writes since the last ask for, if they are due and nobody else has
  /// the turn. Inside the gate.
  Result<Due> step();
  /// `also`: pending nodes that the fresh graph is to have.
  /// Errors: kBusy when somebody else has the turn and `wait` does not say to wait for them.
  Status rebuild_graph(unsigned threads, const ProgressCallback& progress, bool wait,
                       std::span<const graph::NodeId> also);

 private:
  /// One slice, if nobody else has the turn or `wait` says to wait for them.
  Result<RepairResult> repair_slice(std::uint64_t slice, bool wait, Reporter& reporter);
  /// The end of a whole repair: rebuilds, where nodes hang from no tree.
  Status mend_unreachable(const ProgressCallback& progress, RepairResult& total);
  /// kBusy: a callback asked for the turn, which somebody else has.
  Status refused() const;
  bool repair_due() const;
  double tombstone_share() const;  ///< of all nodes
  /// Whether writers do the slices that are due: in memory, and where a store's thread is outrun.
  bool writers_repair() const;
  /// Slices that the writes since it was asked last make due; 0 when none is.
  std::uint64_t slices_due();

  IndexState& state_;
  const std::function<void()>* const on_write_;
  Turn turn_;
  Turn rebuilding_;  ///< of the one rebuild that runs
  std::atomic<std::uint64_t> writes_since_slice_{0};
  std::atomic<bool> pass_open_{false};  ///< a repair pass was begun and is not finished
  Freeing freeing_;
};

}  // namespace vicinal::engine
