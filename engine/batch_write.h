// BatchWrite: one batch of upserts on its way, from its plan to what searches see.
//
// What: the order of a write (E10 of writer.h) for many rows at once: one commit, linked by all
// threads, shown in one step, or round by round when it is more than an eighth of what is live.
// Ownership: of one call; borrows the index's state, its maintenance, the plan and the options.
// Threads: the call's thread; the labels of the plan are claimed.
//
// Invariants:
//   E11  A batch that is cancelled keeps what was linked, and undoes the rest in one commit: what was
//        shown is never taken back.
#pragma once

#include <span>
#include <vector>

#include "engine/batch_plan.h"
#include "engine/index_state.h"
#include "engine/maintenance.h"
#include "graph/types.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::engine {

class BatchWrite {
 public:
  /// `plan` has its winners.
  BatchWrite(IndexState& state, Maintenance& maintenance, BatchPlan& plan,
             const BatchOptions& options)
      : state_(state),
        maintenance_(maintenance),
        plan_(plan),
        options_(options),
        threads_(state.threads_or(options.threads)) {}
  BatchWrite(const BatchWrite&) = delete;
  BatchWrite& operator=(const BatchWrite&) = delete;

  /// Does what the batch says; the plan tells what that was. Once.
  /// Errors: kFull, and of the commit: nothing changed. kCancelled (E11).
  Result<BatchResult> run();

 private:
  /// What becomes of every winner.
  void classify();
  /// Payloads, reachable by nobody.
  Status add();
  Result<persist::Sequence> commit();
  /// kCancelled when some was taken back.
  Status link();
  Status rebuild_and_link();
  /// What is not shown yet, and what is to be resurrected, in one step. `pending` has room for all.
  void show(std::vector<graph::NodeId>& pending);
  /// Undoes nodes[i] of the plan, whose labels had replaced[i], before they were linked.
  void take_back(std::span<const graph::NodeId> nodes, std::span<const graph::NodeId> replaced);
  /// Undoes the entries that are not linked, on disk and in memory, and leaves the linked ones in
  /// the plan. False: that could not be stored, and nothing was undone.
  bool take_back_unlinked();
  /// In one commit: what it replaced is live again, its nodes hold nothing.
  Result<persist::Sequence> store_taking_back(const BatchPlan& undone);

  IndexState& state_;
  Maintenance& maintenance_;
  BatchPlan& plan_;
  const BatchOptions& options_;
  const unsigned threads_;
};

}  // namespace vicinal::engine
