// Records: what the payloads of a store say (FORMAT.md), as values.
//
// Ownership: a record owns what it holds, but for BatchView.
// Threads: as any value.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/types.h"
#include "persist/format.h"
#include "persist/operations.h"
#include "persist/stored_options.h"
#include "vicinal/types.h"

namespace vicinal::persist {

/// The store's own record: key 0x00 of the catalog.
struct StoreRecord {
  std::uint32_t format = kStoreFormat;
  std::uint32_t next_index = 1;  ///< numeric id of the next index; ids are never reused
};

/// Catalog: index name -> this.
struct CatalogEntry {
  std::uint32_t index = 0;
};

/// `meta`, key "options": written once.
struct OptionsRecord {
  StoredOptions options;
  std::uint32_t rows_per_chunk = 0;
};

/// `meta`, key "state": written whenever a checkpoint takes entries out of the journal, and at its
/// end.
struct StateRecord {
  std::uint64_t node_limit = 0;   ///< node ids in node records are below this
  Sequence applied = 0;           ///< journal entries up to this have left the journal
  std::uint64_t checkpoints = 0;  ///< completed
  graph::EntryPoint entry_point = {};
};

/// `nodes` and `journal`, key 0xFF: what an index has there beside it.
struct TailRecord {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;  ///< of keys, without the id, and values

  friend bool operator==(const TailRecord&, const TailRecord&) = default;
};

/// One slot of a node block.
struct StoredNode {
  Label label = 0;
  graph::Level level = 0;
  graph::NodeState state = graph::NodeState::kFree;  ///< kFree, kLive or kTombstone

  friend bool operator==(const StoredNode&, const StoredNode&) = default;
};
/// At most kNodesPerBlock; slots past the end are free.
using NodeBlock = std::vector<StoredNode>;

/// kNodesPerLinkGroup slots; empty links mean "none stored".
using LinkGroup = std::vector<graph::NodeLinks>;

/// A journal entry with everything it owns. Which fields count depends on `kind`.
struct JournalEntry {
  OperationKind kind = OperationKind::kUpsert;
  Label label = 0;
  graph::NodeId node = graph::kNoNode;
  graph::NodeId replaced = graph::kNoNode;
  graph::Level level = 0;
  std::vector<std::byte> row;                 ///< kUpsert: as it is stored
  std::vector<graph::NodeId> nodes;           ///< kFree, kEraseBatch, kBatch
  std::vector<Label> labels;                  ///< kEraseBatch, kBatch
  std::vector<graph::Level> levels;           ///< kBatch
  std::vector<graph::NodeId> replaced_nodes;  ///< kBatch
  std::vector<graph::NodeId> resurrected;     ///< kBatch
  std::vector<Label> resurrected_labels;      ///< kBatch
};

/// What an encoder needs of a batch: spans of equal length as in Batch.
struct BatchView {
  std::span<const graph::NodeId> nodes;
  std::span<const Label> labels;
  std::span<const graph::Level> levels;
  std::span<const graph::NodeId> replaced;
  std::span<const graph::NodeId> resurrected;
  std::span<const Label> resurrected_labels;
};

}  // namespace vicinal::persist
