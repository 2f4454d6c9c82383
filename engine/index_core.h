// IndexCore: one index: what its parts share, the parts, and how it begins and ends.
//
// What: index_state.h is shared; writer.h changes it, reader.h looks at it, maintenance.h keeps its
// graph good, checkpoints.h brings links to disk, recovery.h fills it once, row_loader.h brings the
// rows that opening left for later. Here is what concerns all of them: stats.cc, closing, and what
// the store asks. Index is a thin handle.
// Ownership: shared by handles and by the store's registry. Parts are declared after what they use.
// Threads: every method from any thread; see the parts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/checkpoints.h"
#include "engine/index_state.h"
#include "engine/maintenance.h"
#include "engine/reader.h"
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
  Result<std::vector<float>> get(Label label) const { return reader_.get(label); }
  bool contains(Label label) const { return reader_.contains(label); }
  Result<SearchResult> search(std::span<const float> query, const SearchOptions& options) const {
    return reader_.search(query, options);
  }
  Result<std::size_t> search_into(std::span<const float> query, const SearchOptions& options,
                                  std::span<Hit> hits, SearchCounters* counters) const {
    return reader_.search_into(query, options, hits, counters);
  }
  Result<std::vector<SearchResult>> search_batch(std::span<const float> queries,
                                                 const SearchOptions& options,
                                                 unsigned threads) const {
    return reader_.search_batch(queries, options, threads);
  }
  Result<SearchResult> search_radius(std::span<const float> query, float radius,
                                     const SearchOptions& options) const {
    return reader_.search_radius(query, radius, options);
  }
  std::uint64_t size() const;
  const IndexOptions& options() const { return state_.options; }
  Stats stats() const;
  Status reserve(std::uint64_t count);
  Status checkpoint(const ProgressCallback& progress) { return checkpoints_.checkpoint(progress); }
  Status sync();
  Status rebuild(const BatchOptions& options) { return maintenance_.rebuild(options); }
  Status finish_loading(const BatchOptions& options) const;
  Result<RepairResult> repair(const RepairOptions& options) { return maintenance_.repair(options); }
  Result<ValidateReport> validate(const ValidateOptions& options) const {
    return reader_.validate(options);
  }
  Result<double> recall(const RecallOptions& options) const { return reader_.recall(options); }
  Status for_each(const std::function<bool(Label, std::span<const float>)>& visit) const {
    return reader_.for_each(visit);
  }
  Result<Index::NodeView> node(Label label) const { return reader_.node(label); }
  Status for_each_node(const std::function<bool(const Index::NodeView&)>& visit) const {
    return reader_.for_each_node(visit);
  }

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

  IndexState state_;
  Checkpoints checkpoints_{state_};
  Maintenance maintenance_;
  Writer writer_{state_, maintenance_, checkpoints_};
  Reader reader_{state_};
  RecoveryReport loaded_;  ///< before the index is shared

  /// Null when everything was in memory at the end of opening. Last: it ends before what it uses.
  std::unique_ptr<RowLoader> loader_;
};

}  // namespace vicinal::engine
