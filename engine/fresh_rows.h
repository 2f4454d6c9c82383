// FreshRows and StoredRows: where a row is when it is not in the graph's memory.
//
// What: FreshRows remembers the nodes whose rows still stand in the journal only, with the rows
// themselves when the graph does not keep them (IndexOptions::vectors_in_memory false). StoredRows
// joins them with the chunks inside the store's map into the RowSource that searches use.
// Threads: FreshRows any; a StoredRows serves one call on one thread, inside a graph::Moment.
//
// E5  A row is in the chunks, or in FreshRows, before its node is visible; the epoch is raised
//     before a row leaves FreshRows and after chunks were written, so a StoredRows that finds
//     nothing fresh under an unchanged epoch may trust its snapshot of the chunks.
#pragma once

#include <tsl/robin_map.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/mutex.h"
#include "graph/graph.h"
#include "persist/index_records.h"

namespace vicinal::engine {

class FreshRows {
 public:
  using Row = std::shared_ptr<const std::byte[]>;

  explicit FreshRows(bool keep_rows) : keep_rows_(keep_rows) {}

  void add(graph::NodeId node, std::span<const std::byte> row);
  void drop(std::span<const graph::NodeId> nodes);
  bool contains(graph::NodeId node) const;
  /// Null when the node's row is not here.
  Row find(graph::NodeId node) const;
  std::vector<graph::NodeId> nodes() const;
  /// Drops those whose rows stand in chunks by now.
  void drop_stored(const graph::Graph& graph, persist::IndexRecords& records);

  std::uint64_t epoch() const { return epoch_.load(); }
  void raise_epoch() { epoch_.fetch_add(1); }

 private:
  struct Hash {
    std::size_t operator()(graph::NodeId node) const {
      return static_cast<std::size_t>(graph::raw(node)) * 0x9E3779B97F4A7C15ull >> 16;
    }
  };

  const bool keep_rows_;
  mutable internal::Mutex mutex_;
  tsl::robin_map<graph::NodeId, Row, Hash> rows_ VICINAL_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> epoch_{0};
};

/// Pins a snapshot of the store from its first row to release() or its end: call nothing else of
/// the store meanwhile (persist/index_records.h).
class StoredRows final : public graph::RowSource {
 public:
  /// How rows are read that only the store has: out of its map, their checksum verified once in a
  /// process, or every time.
  enum class Reading : std::uint8_t { kFast, kVerified };

  StoredRows(const graph::Graph& graph, const FreshRows& fresh, persist::IndexRecords& records,
             Reading reading)
      : graph_(graph), fresh_(fresh), records_(records), reading_(reading) {}

  const std::byte* row(graph::NodeId node) override;
  void rows(std::span<const std::uint32_t> ids, const std::byte** out) override;
  void release() override;
  Status why() const override { return reader_ == nullptr ? status_ : reader_->why(); }
  /// Why rows of nodes that were shown could not be read, if so; then no more are given out.
  const Status& status() const { return status_; }

 private:
  Status unreadable(graph::NodeId node) const;

  const graph::Graph& graph_;
  const FreshRows& fresh_;
  persist::IndexRecords& records_;
  const Reading reading_;
  std::uint64_t epoch_ = 0;  // of reader_
  std::unique_ptr<persist::RowReader> reader_;
  std::vector<FreshRows::Row> held_;  // fresh rows given out by the last call
  Status status_;
};

}  // namespace vicinal::engine
