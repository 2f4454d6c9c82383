// IndexState: what the parts of one index share.
//
// What: the graph, the records (null in memory), who holds which label, and where rows are that the
// graph does not hold. The parts are the writer, the reader, maintenance, checkpoints and recovery:
// each refers to this and keeps to itself what only it needs. No verb of the index lives here.
// Ownership: owned by IndexCore, and outlives every part.
// Threads: every method from any thread; fields are grouped by what protects them.
//
// Invariants:
//   E7  Who uses `records`, or a row of the store, is inside the gate: they go only when the gate
//       is closed and nobody is inside any more.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "engine/background_health.h"
#include "engine/base/worker_pool.h"
#include "engine/claims.h"
#include "engine/fresh_rows.h"
#include "engine/gate.h"
#include "engine/label_map.h"
#include "graph/graph.h"
#include "persist/store_file.h"
#include "vicinal/options.h"
#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::engine {

class IndexState {
 public:
  /// `file` and `records` are null for an index in memory.
  IndexState(std::string name, const IndexOptions& options, std::unique_ptr<graph::Graph> graph,
             persist::StoreFile* file, std::unique_ptr<persist::IndexRecords> records);
  IndexState(const IndexState&) = delete;
  IndexState& operator=(const IndexState&) = delete;
  ~IndexState();

  // -- Constant after construction.
  const std::string name;
  const IndexOptions options;
  const std::unique_ptr<graph::Graph> graph;
  persist::StoreFile* const file;  ///< outlives the records

  // -- Behind the gate (E7).
  std::unique_ptr<persist::IndexRecords> records;
  mutable Gate gate;

  // -- Constant after construction.
  const bool durable;  ///< has, or had, records
  const bool read_only;

  // -- Guarded by themselves.
  LabelClaims claims;
  LabelMap labels;
  /// Null in memory, as what follows.
  const std::unique_ptr<FreshRows> fresh;
  const std::unique_ptr<BackgroundHealth> health;

  // -- What every part asks.

  Status closed_status() const;
  /// kNotFound: another process has dropped the index, whose records seem to be damaged then. Else OK.
  Status dropped_status() const;
  /// kReadOnly for a store that is, kBusy for the thread that has paused writes; else OK.
  Status check_writable() const;
  /// kBusy: a callback of a call that holds labels asked for others that are taken.
  Status labels_taken() const;
  unsigned threads_or(unsigned asked) const;
  internal::Workers workers(unsigned asked) const { return graph->workers(threads_or(asked)); }
  std::uint64_t row_bytes() const { return stored_bytes(options.storage, options.dimension); }
  /// What row_of() needs of a room.
  std::size_t room_bytes() const {
    return options.storage == Storage::kFloat32 ? 0
                                                : stored_bytes(options.storage, options.dimension);
  }

  /// To the journal, where there is one. `meanwhile` is called beside the commit: see
  /// IndexRecords::append().
  Result<persist::Sequence> append(const persist::Operation& operation,
                                   const std::function<void()>& meanwhile = {});
  /// What append() gave is applied in memory.
  void finish(persist::Sequence sequence);

  /// As writers see it, under the label's claim.
  bool live(graph::NodeId node) const;
  /// Rows for one call, or null when the graph has them all.
  std::unique_ptr<StoredRows> rows(StoredRows::Reading reading = StoredRows::Reading::kFast) const;
  /// The stored row of `node`, or null. Inside a Moment.
  const std::byte* row(graph::NodeId node, StoredRows* rows) const;
  /// True when the stored row of `node` is `wanted`. Under the label's claim.
  bool holds(graph::NodeId node, std::span<const std::byte> wanted) const;
};

}  // namespace vicinal::engine
