// WritePause: an index that stands still, and all that saving it in the child of a fork() takes.
//
// What: closes the graph's write gate from its construction to its end, and holds the memory of a save.
// Ownership: keeps the index.
// Threads: one at a time, but for save(), which refuses a second. In a child of fork() save() takes no lock, enters no epoch, borrows no scratch
// and allocates nothing. At the fork, in the child, the gate becomes the forking thread's, and the parent's
// readers are let out (not where it forks in a callback: then maintenance waits for them). Locks that they
// had are not put right: a copy is for use where nobody was inside of it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>

#include "engine/base/process.h"
#include "engine/call_scope.h"
#include "engine/index_state.h"
#include "engine/saver.h"
#include "graph/write_gate.h"
#include "vicinal/status.h"
#include "vicinal/stream.h"

namespace vicinal::engine {

class WritePause {
 public:
  /// `state` is a part of `index`.
  /// Errors: kBusy  in a callback.
  static Result<std::unique_ptr<WritePause>> begin(std::shared_ptr<const void> index,
                                                   const IndexState& state);
  WritePause(const WritePause&) = delete;
  WritePause& operator=(const WritePause&) = delete;

  /// Errors: of the sink; kInvalidArgument  rows are not in memory; kBusy  another save is under way.
  Status save(const ByteSink& sink);

 private:
  /// The gate, closed from here to the end.
  class Closed {
   public:
    explicit Closed(graph::Graph& graph);
    ~Closed();
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;

   private:
    graph::Graph& graph_;
    std::atomic<graph::Graph*>& paused_;  ///< of those that who forks is told of
    const internal::OwnProcess process_;
    internal::ThreadNumber closer_ = 0;
  };

  /// A save under way, unless there is one already.
  class Saving;

  WritePause(std::shared_ptr<const void> index, const IndexState& state);

  const std::shared_ptr<const void> index_;
  const IndexState& state_;
  const Closed closed_;
  SaveRoom room_;  ///< of the nodes that there are: none is added meanwhile
  /// The process with a save under way, or 0: what a parent's thread had begun at a fork is nobody's.
  std::atomic<pid_t> saver_{0};
};

}  // namespace vicinal::engine
