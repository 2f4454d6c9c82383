// Recovery: what the records hold becomes an index again.
//
// What: vectors are the truth and are placed as they are read; stored links are restored, links of
// what the journal added are made anew by the ordinary insert, in journal order.
// Ownership: borrows the state that it fills: the graph, the labels, the fresh rows.
// Threads: run() from one thread, before the index is shared; place(), links() and linking use the
// index's threads.
//
// Invariants:
//   E6  Stored links are restored as they are read; those to nodes that stand in the journal only
//       are left out then, and the trees of parents are mended before anything is linked.
#pragma once

#include <tsl/robin_set.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/index_state.h"
#include "engine/progress.h"
#include "persist/loading.h"

namespace vicinal::engine {

/// What recovery found and did.
struct RecoveryReport {
  std::uint64_t salvaged = 0;        ///< see Stats
  std::uint64_t repaired_links = 0;  ///< see Stats
  std::uint64_t unsaved_bytes = 0;   ///< rows of what it linked anew: no checkpoint has these links
  double seconds = 0;
};

class Recovery final : public persist::LoadVisitor {
 public:
  /// `state` has records, and holds nothing yet.
  explicit Recovery(IndexState& state);

  /// Loads, links, and leaves the state ready for use. Once.
  /// Errors: of the records; kCorruption; kCancelled by IndexOptions::progress.
  Result<RecoveryReport> run();

  Status begin(std::uint64_t node_limit, graph::EntryPoint entry_point) override;
  Status place(std::span<const persist::LoadedNode> run) override;
  Status links(std::span<const graph::StoredLinks> nodes) override;
  Status replay(persist::Sequence sequence, const persist::Operation& operation) override;

 private:
  struct NodeHash {
    std::size_t operator()(graph::NodeId node) const {
      return static_cast<std::size_t>(graph::raw(node)) * 0x9E3779B97F4A7C15ull >> 16;
    }
  };
  using NodeSet = tsl::robin_set<graph::NodeId, NodeHash>;

  /// Once, when all checkpointed nodes are placed and before the journal: labels lead to them.
  Status take_labels();
  bool exists(graph::NodeId node) const;
  /// A live node whose label may have another live one: an error, or (salvage) the greater counts.
  Status settle(graph::NodeId node);
  /// Makes `node` the node of its label; a live one that stood there is hidden.
  void take_label(graph::NodeId node);
  Status replay_upsert(const persist::Operation& operation);
  Status replay_resurrect(graph::NodeId node);
  /// After all links: entry point, trees of parents.
  void finish_links(bool some_unlinked);
  Status link_missing(std::vector<graph::NodeId> missing);
  /// A build before this one, killed inside a cancelled batch, left a label two live nodes: the
  /// erasure of one is stored.
  Status record_hidden();

  IndexState& state_;
  graph::Graph& graph_;
  Reporter reporter_;
  std::uint64_t node_limit_ = 0;
  graph::EntryPoint entry_point_;
  std::vector<graph::NodeId> replayed_;  ///< nodes of the journal, in its order
  std::uint64_t journal_entries_ = 0;
  std::vector<graph::NodeId> hidden_;  ///< live by the records, but another bears the label
  std::atomic<std::uint64_t> rejected_links_{0};  ///< nodes whose links cannot be
  std::atomic<std::uint64_t> cut_links_{0};       ///< nodes that had links to what is not there
  std::atomic<std::uint64_t> roots_{0};           ///< see graph::RestoredLinks
  std::uint64_t unsaved_bytes_ = 0;
  bool labels_taken_ = false;
};

}  // namespace vicinal::engine
