// Freeing: nodes that were unlinked give their slots back, on disk first.
//
// What: what repair and rebuild left unlinked is taken from the graph some at a time, its labels are
// forgotten, the journal told, and the slots recycled (R1 of persist/index_records.h).
// Ownership: a part of Maintenance; borrows the index's state.
// Threads: every method from any thread; who finds somebody else at it leaves it to them. Claims
// labels: see E9 of maintenance.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/index_state.h"
#include "engine/turn.h"
#include "graph/types.h"
#include "vicinal/status.h"

namespace vicinal::engine {

class Freeing {
 public:
  explicit Freeing(IndexState& state) : state_(state) {}
  Freeing(const Freeing&) = delete;
  Freeing& operator=(const Freeing&) = delete;

  /// Frees all that is unlinked; returns how many. What could not be freed is, the next time.
  /// Errors: of the journal; kBusy: a callback of a batch asked while a label was being written.
  Result<std::uint64_t> free_unlinked();

 private:
  Status free(std::span<const graph::NodeId> nodes);

  IndexState& state_;
  Turn freeing_;
  std::vector<graph::NodeId> unfreed_;  ///< under freeing_: taken from the graph, not freed yet
};

}  // namespace vicinal::engine
