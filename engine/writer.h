// Writer: everything that changes what a label stands for: upsert, upsert_batch, erase, erase_batch.
//
// What: claims, the label's entry, the journal and the graph, in the one order that E10 says. One
// file a verb: upsert.cc, upsert_batch.cc (with batch_write.h), erase.cc.
// Ownership: a part of IndexCore; borrows its state, maintenance and checkpoints.
// Threads: every method from any thread. Labels are claimed first, and nothing is waited for while
// they are held but a commit (E1, E9).
//
// Invariants:
//   E10  The order of a write (DESIGN section 3): validate, claim the label, write the payload
//        (reachable by nobody), switch the label's entry (E4), commit (durable before visible) and
//        look for its neighbors meanwhile, link, show, tell the journal. What fails until the commit
//        leaves nothing behind; after it nothing fails.
#pragma once

#include <cstdint>
#include <span>

#include "engine/checkpoints.h"
#include "engine/index_state.h"
#include "engine/maintenance.h"
#include "graph/types.h"
#include "vicinal/options.h"
#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::engine {

class Writer {
 public:
  /// `checkpoints`: null in memory.
  Writer(IndexState& state, Maintenance& maintenance, Checkpoints* checkpoints)
      : state_(state), maintenance_(maintenance), checkpoints_(checkpoints) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // The verbs of Index (see there).
  Result<UpsertOutcome> upsert(Label label, std::span<const float> vector);
  Result<BatchResult> upsert_batch(std::span<const Label> labels, std::span<const float> vectors,
                                   const BatchOptions& options);
  Result<EraseOutcome> erase(Label label);
  Result<std::uint64_t> erase_batch(std::span<const Label> labels);

 private:
  // -- Under the label's claim.
  Result<UpsertOutcome> upsert_claimed(Label label, std::span<const std::byte> row);
  /// True when the tombstone was lifted; false when it is past lifting.
  Result<bool> resurrect_claimed(Label label, graph::NodeId node);
  Status insert_claimed(Label label, std::span<const std::byte> row, graph::NodeId old);

  IndexState& state_;
  Maintenance& maintenance_;
  Checkpoints* const checkpoints_;
};

}  // namespace vicinal::engine
