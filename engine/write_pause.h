// WritePause: an index that stands still, and all that saving it in the child of a fork() takes.
//
// What: closes the graph's write gate from its construction to its end, and holds the memory of a save.
// Ownership: keeps the index.
// Threads: one at a time. In a child of fork() save() takes no lock, enters no epoch, borrows no scratch
// and allocates nothing, and the end only opens the gate of the child.
#pragma once

#include <memory>
#include <thread>

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

  /// Errors: of the sink; kInvalidArgument  rows are not in memory.
  Status save(const ByteSink& sink);

 private:
  /// The gate, closed from here to the end.
  class Closed {
   public:
    explicit Closed(graph::Graph& graph) : graph_(graph) { graph_.write_gate().close(); }
    ~Closed();
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;

   private:
    graph::Graph& graph_;
    const internal::OwnProcess process_;
    const std::thread::id closer_ = std::this_thread::get_id();
  };

  WritePause(std::shared_ptr<const void> index, const IndexState& state);

  const std::shared_ptr<const void> index_;
  const IndexState& state_;
  const Closed closed_;
  SaveRoom room_;  ///< of the nodes that there are: none is added meanwhile
};

}  // namespace vicinal::engine
