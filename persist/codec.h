// The codec: the payloads of records, to bytes and back. The only user of cereal.
//
// One encoder and one decoder per record. Encoders return a RecordBuffer whose first kEnvelopeBytes
// are room for the envelope (envelope.h). Decoders take a payload whose checksum was verified, and
// still believe nothing: reading past the end, a length greater than the bytes that are left, a
// value out of range and bytes left over are kCorruption. No exception leaves this file except
// std::bad_alloc; what a decoder allocates is bounded by eight times the payload.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/types.h"
#include "persist/envelope.h"
#include "persist/operations.h"
#include "persist/stored_options.h"

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

/// <id>.meta, key "options": written once.
struct OptionsRecord {
  StoredOptions options;
  std::uint32_t rows_per_chunk = 0;
};

/// <id>.meta, key "state": written with every step of a checkpoint.
struct StateRecord {
  std::uint64_t node_limit = 0;   ///< node ids in node records are below this
  Sequence applied = 0;           ///< journal entries up to this have left the journal
  std::uint64_t checkpoints = 0;  ///< completed
  graph::EntryPoint entry_point = {};
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

/// Links of many nodes one after another, so that reading a million of them allocates nothing. A
/// node's lists follow those of the node before, level 0 first; so do the ids of a list.
struct FlatLinks {
  struct Node {
    graph::NodeId node = graph::kNoNode;
    std::uint32_t levels = 0;
  };
  struct List {
    graph::NodeId parent = graph::kNoNode;
    std::uint32_t child_count = 0;
    std::uint32_t count = 0;
  };
  std::vector<Node> nodes;
  std::vector<List> lists;
  std::vector<graph::NodeId> ids;

  /// An end to go back to.
  struct Mark {
    std::size_t nodes = 0;
    std::size_t lists = 0;
    std::size_t ids = 0;
  };
  Mark mark() const { return {nodes.size(), lists.size(), ids.size()}; }
  void cut_to(const Mark& end);
};

/// A journal entry with everything it owns. Which fields count depends on `kind`.
struct JournalEntry {
  OperationKind kind = OperationKind::kUpsert;
  Label label = 0;
  graph::NodeId node = graph::kNoNode;
  graph::NodeId replaced = graph::kNoNode;
  graph::Level level = 0;
  std::vector<float> row;                     ///< kUpsert
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

RecordBuffer encode(const StoreRecord& record);
RecordBuffer encode(const CatalogEntry& record);
RecordBuffer encode(const OptionsRecord& record);
RecordBuffer encode(const StateRecord& record);
RecordBuffer encode(const NodeBlock& block);
RecordBuffer encode(const LinkGroup& group);
RecordBuffer encode(const Operation& operation);  ///< any kind but kBatch
RecordBuffer encode(const BatchView& batch);

Status decode(Bytes payload, StoreRecord* record);
Status decode(Bytes payload, CatalogEntry* record);
Status decode(Bytes payload, OptionsRecord* record);
Status decode(Bytes payload, StateRecord* record);
Status decode(Bytes payload, NodeBlock* block);
Status decode(Bytes payload, LinkGroup* group);
/// Appends the links of the group whose first node is `first`; appends nothing on an error.
Status decode(Bytes payload, graph::NodeId first, FlatLinks* links);
/// `dimension`: of the index; a row of another length is kCorruption.
Status decode(Bytes payload, std::uint32_t dimension, JournalEntry* entry);
/// Only the kind of an entry, for scans that skip rows.
Status decode_kind(Bytes payload, OperationKind* kind);

}  // namespace vicinal::persist
