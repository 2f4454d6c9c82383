// Operations: what the engine tells the journal, one at a time or as a batch.
//
// Ownership: views; what their spans show belongs to the caller until the call returns.
// Threads: as any value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "graph/types.h"
#include "vicinal/types.h"

namespace vicinal::persist {

/// Number of a journalled operation, growing by one, per index. 0 is "none".
using Sequence = std::uint64_t;
/// No index comes so far: what says that it did is damaged.
inline constexpr Sequence kMostSequence = ~Sequence{0} >> 1;

/// What a journal entry says. On disk: never renumber.
enum class OperationKind : std::uint8_t {
  /// `node` now holds `row` under `label`; `replaced` (or kNoNode) became a tombstone.
  kUpsert = 1,
  /// `node` under `label` became a tombstone.
  kErase = 2,
  /// Tombstone `node` under `label` is live again.
  kResurrect = 3,
  /// `nodes` hold nothing any more; their slots may be reused once append() of this returned.
  kFree = 4,
  /// A committed batch: `nodes`, `labels`, `replaced_nodes` side by side; rows are in chunks.
  kBatch = 5,
  /// `nodes` under `labels` became tombstones.
  kEraseBatch = 6,
};

/// One operation as the engine hands it over. Spans must live until the call returns.
struct Operation {
  OperationKind kind = OperationKind::kUpsert;
  Label label = 0;
  graph::NodeId node = graph::kNoNode;
  graph::NodeId replaced = graph::kNoNode;
  graph::Level level = 0;                ///< kUpsert: the node's highest level
  std::span<const std::byte> row;        ///< kUpsert: as it is stored
  bool row_in_chunk = false;             ///< kUpsert that load() delivers: the row is a batch's
  std::span<const graph::NodeId> nodes;  ///< kFree, kEraseBatch
  std::span<const Label> labels;         ///< kEraseBatch
};

/// A batch: entry i stores rows[i] (as it is stored) in nodes[i] under labels[i] with
/// levels[i]; replaced[i] (or kNoNode) becomes a tombstone. resurrected: nodes whose tombstones are
/// lifted by the batch. freed: other nodes, which hold nothing any more.
struct Batch {
  std::span<const graph::NodeId> nodes;
  std::span<const Label> labels;
  std::span<const graph::Level> levels;
  std::span<const graph::NodeId> replaced;
  std::function<const std::byte*(std::size_t i)> row;
  std::span<const graph::NodeId> resurrected;
  std::span<const Label> resurrected_labels;
  std::span<const graph::NodeId> freed = {};
};

}  // namespace vicinal::persist
