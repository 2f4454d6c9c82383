// IndexCore: the state of one index and the order of every step on it. Index is a thin handle.
//
// What: one file per verb, over what index_state.h holds:
// read.cc, search.cc, validate.cc, recall.cc, stats.cc.
// Ownership: shared by handles and by the store's registry.
// Threads: every method from any thread.
//
// Reading: one graph::Moment a call; what a label stands for is Moment::stood() of its entry.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/checkpoints.h"
#include "engine/index_state.h"
#include "engine/maintenance.h"
#include "engine/progress.h"
#include "engine/recovery.h"
#include "engine/row_loader.h"
#include "engine/writer.h"
#include "graph/graph.h"
#include "persist/store_file.h"
#include "vicinal/index.h"
#include "vicinal/options.h"
#include "vicinal/status.h"
#include "vicinal/types.h"

namespace vicinal::engine {

/// What an index borrows from its store; all null for an index in memory.
struct StoreLink {
  persist::StoreFile* file = nullptr;              ///< outlives the records
  std::unique_ptr<persist::IndexRecords> records;  ///< owned by the index until it is closed
  std::function<void()> on_write;                  ///< wakes the background thread; may be empty
};

class IndexCore {
 public:
  /// `options` are checked here. With records, loads what they hold.
  static Result<std::shared_ptr<IndexCore>> make(std::string name, const IndexOptions& options,
                                                 StoreLink link);
  IndexCore(std::string name, const IndexOptions& options, std::unique_ptr<graph::Graph> graph,
            StoreLink link);
  ~IndexCore() = default;
  IndexCore(const IndexCore&) = delete;
  IndexCore& operator=(const IndexCore&) = delete;

  // The verbs of Index (see there).
  Result<UpsertOutcome> upsert(Label label, std::span<const float> vector) {
    return writer_.upsert(label, vector);
  }
  Result<BatchResult> upsert_batch(std::span<const Label> labels, std::span<const float> vectors,
                                   const BatchOptions& options) {
    return writer_.upsert_batch(labels, vectors, options);
  }
  Result<bool> erase(Label label) { return writer_.erase(label); }
  Result<std::uint64_t> erase_batch(std::span<const Label> labels) {
    return writer_.erase_batch(labels);
  }
  Result<std::vector<float>> get(Label label) const;
  bool contains(Label label) const;
  Result<SearchResult> search(std::span<const float> query, const SearchOptions& options) const;
  Result<std::size_t> search_into(std::span<const float> query, const SearchOptions& options,
                                  std::span<Hit> hits, SearchCounters* counters) const;
  Result<std::vector<SearchResult>> search_batch(std::span<const float> queries,
                                                 const SearchOptions& options,
                                                 unsigned threads) const;
  Result<SearchResult> search_radius(std::span<const float> query, float radius,
                                     const SearchOptions& options) const;
  std::uint64_t size() const;
  const IndexOptions& options() const { return state_.options; }
  Stats stats() const;
  Status reserve(std::uint64_t count);
  Status checkpoint(const ProgressCallback& progress) { return checkpoints_.checkpoint(progress); }
  Status sync();
  Status rebuild(const BatchOptions& options) { return maintenance_.rebuild(options); }
  Status finish_loading(const BatchOptions& options) const;
  Result<RepairResult> repair(const RepairOptions& options) { return maintenance_.repair(options); }
  Result<ValidateReport> validate(const ValidateOptions& options) const;
  Result<double> recall(const RecallOptions& options) const;
  Status for_each(const std::function<bool(Label, std::span<const float>)>& visit) const;
  Result<Index::NodeView> node(Label label) const;
  Status for_each_node(const std::function<bool(const Index::NodeView&)>& visit) const;

  // For the store.
  const std::string& name() const { return state_.name; }
  Result<std::uint64_t> verify_records(std::vector<std::string>* messages) const;
  Status for_each_journal_entry(const std::function<bool(const std::string&)>& visit) const;
  /// True in a callback of one of its calls: close() would wait for itself.
  bool thread_is_inside() const { return Gate::Pass::thread_is_inside(state_.gate); }
  /// Waits for calls inside, checkpoints when `with_checkpoint`, lets go of the records.
  /// Idempotent.
  Status close(bool with_checkpoint);
  /// For the background thread: one checkpoint or one slice of repair, if due. True: more is due.
  bool maintain(std::uint64_t checkpoint_bytes);

 private:
  /// What the records hold, before the index is shared.
  Status load();

  // -- Shared by verbs.
  Index::NodeView view(const graph::Moment& moment, graph::NodeId node) const;
  /// Of `labels` those that are live, and their vectors, appended.
  Status copy_live_rows(std::span<const Label> labels, std::vector<Label>& live,
                        std::vector<float>& vectors) const;
  /// Every label that is live at one moment.
  std::vector<Label> live_labels() const;
  /// Why the vector of a live node is not to be had.
  Status unreadable(Label label, const StoredRows& rows) const;

  // -- search.cc
  Status check_query(std::span<const float> query, const std::string& what = {}) const;
  /// One search of a checked query: calls take(found), nearest first, at most `most`.
  template <typename Take>
  Status find(std::span<const float> query, const SearchOptions& options, std::size_t most,
              SearchCounters& counters, const Take& take) const;
  /// Why rows of a search were missing, if so.
  Status check_rows(const StoredRows* rows) const;

  // -- validate.cc
  void validate_labels(ValidateReport& report, std::size_t max_messages) const;
  Status validate_records(ValidateReport& report, const ValidateOptions& options) const;

  IndexState state_;
  Checkpoints checkpoints_{state_};
  Maintenance maintenance_;
  Writer writer_{state_, maintenance_, checkpoints_};
  RecoveryReport loaded_;  ///< before the index is shared

  /// Null when everything was in memory at the end of opening. Last: it ends before what it uses.
  std::unique_ptr<RowLoader> loader_;
};

}  // namespace vicinal::engine
