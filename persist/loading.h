// Loading: what load() delivers, to whom, how, and what it says in the end.
//
// Ownership: the visitor belongs to the caller; what it is shown is valid during the call only.
// Threads: one thread loads; place() and links() come from those of LoadOptions::workers too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/base/worker_pool.h"
#include "graph/types.h"
#include "persist/operations.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// A node as load() delivers it, kLive or kTombstone. Its row is valid during place() only. A
/// chunk's first row is 64-byte aligned, the others follow without gaps.
using LoadedNode = graph::StoredPayload;

/// Takes what load() reads, in the order of the methods here. Calls come from the loading thread
/// but for place() and links(), of which several run at once.
class LoadVisitor {
 public:
  virtual ~LoadVisitor() = default;
  /// Once, first: slots in use are below `node_limit`.
  virtual Status begin(std::uint64_t node_limit, graph::EntryPoint entry_point) = 0;
  /// Checkpointed nodes of one chunk, ascending, as soon as its checksum is verified: the rows are
  /// still in the thread's cache. Chunks come in any order, each once.
  virtual Status place(std::span<const LoadedNode> run) = 0;
  /// Links of checkpointed nodes, each node once, in any order. Ids are bounded by node_limit or by
  /// the journal's nodes only; the visitor checks that they name nodes with that level. Nodes
  /// without a call have no valid links.
  virtual Status links(std::span<const graph::StoredLinks> nodes) = 0;
  /// Journal entries in order, as kUpsert (with `row`), kErase and kResurrect only. A batch is one
  /// kUpsert per stored node, then one kResurrect per resurrected node; kEraseBatch is one kErase
  /// per node. Nodes that a later entry frees are never delivered, by no method here: their upsert
  /// is delivered as the kErase of the node it replaced.
  virtual Status replay(Sequence sequence, const Operation& operation) = 0;
};

struct LoadOptions {
  bool salvage = false;  ///< set damaged vector and node records aside instead of failing
  ProgressCallback progress = {};
  internal::Workers workers = {};  ///< the loading thread is one of them
};

struct LoadReport {
  std::uint64_t nodes = 0;
  std::uint64_t journal_entries = 0;
  std::uint64_t damaged_links = 0;    ///< link records that failed and were left out
  std::uint64_t salvaged = 0;         ///< vector or node records set aside (salvage only)
  std::vector<std::string> messages;  ///< a line for each of the first 100
};

}  // namespace vicinal::persist
