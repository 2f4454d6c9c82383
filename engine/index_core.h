// IndexCore: the state of one index and the order of every step on it. Index is a thin handle.
//
// What: the graph, the records (null in memory), who holds which label, and one file per verb:
// upsert.cc, upsert_batch.cc, erase.cc, read.cc, search.cc, checkpoint.cc, recovery.cc, rebuild.cc,
// repair.cc, validate.cc, recall.cc, stats.cc.
// Ownership: shared by handles and by the store's registry.
// Threads: every method from any thread.
//
// Order of a write (DESIGN section 3): validate, claim the label, write the payload (reachable by
// nobody), switch the label's entry (readers go back to the node it had), commit (durable before
// visible) and look for its neighbors meanwhile, link, show, tell the journal.
// Reading: one graph::Moment a call; what a label stands for is Moment::stood() of its entry.
// Locks: claims (claims.h) are taken first and never while the turn at maintenance_ is held, which
// orders repair slices and rebuilds among each other. Who repairs on the way (a write, the store's
// thread) tries for the turn; nobody inside a callback waits for one (callback.h).
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

#include "engine/claims.h"
#include "engine/fresh_rows.h"
#include "engine/gate.h"
#include "engine/label_map.h"
#include "engine/progress.h"
#include "engine/row_loader.h"
#include "engine/turn.h"
#include "graph/graph.h"
#include "persist/index_records.h"
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
  Result<UpsertOutcome> upsert(Label label, std::span<const float> vector);
  Result<BatchResult> upsert_batch(std::span<const Label> labels, std::span<const float> vectors,
                                   const BatchOptions& options);
  Result<bool> erase(Label label);
  Result<std::uint64_t> erase_batch(std::span<const Label> labels);
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
  std::uint64_t row_bytes() const { return std::uint64_t{options_.dimension} * sizeof(float); }
  const IndexOptions& options() const { return options_; }
  Stats stats() const;
  Status reserve(std::uint64_t count);
  Status checkpoint(const ProgressCallback& progress);
  Status sync();
  Status rebuild(const BatchOptions& options);
  Status finish_loading(const BatchOptions& options) const;
  Result<RepairResult> repair(const RepairOptions& options);
  Result<ValidateReport> validate(const ValidateOptions& options) const;
  Result<double> recall(const RecallOptions& options) const;
  Status for_each(const std::function<bool(Label, std::span<const float>)>& visit) const;
  Result<Index::NodeView> node(Label label) const;
  Status for_each_node(const std::function<bool(const Index::NodeView&)>& visit) const;

  // For the store.
  const std::string& name() const { return name_; }
  Result<std::uint64_t> verify_records(std::vector<std::string>* messages) const;
  Status for_each_journal_entry(const std::function<bool(const std::string&)>& visit) const;
  /// True in a callback of one of its calls: close() would wait for itself.
  bool thread_is_inside() const { return Gate::Pass::thread_is_inside(gate_); }
  /// Waits for calls inside, checkpoints when `with_checkpoint`, lets go of the records.
  /// Idempotent.
  Status close(bool with_checkpoint);
  /// For the background thread: one checkpoint or one slice of repair, if due. True: more is due.
  bool maintain(std::uint64_t checkpoint_bytes);

 private:
  friend class Recovery;
  struct BatchPlan;

  /// While rows are still on their way into memory, linking takes tens of milliseconds a vector:
  /// who links so many waits for the rows instead.
  static constexpr std::size_t kWorthLoading = 16;

  // -- Shared by verbs (index_core.cc).
  Status closed_status() const;
  /// kBusy: a callback of a call that holds labels asked for others that are taken.
  Status refused() const;
  /// kReadOnly for a store that is; why rows that opening left for later cannot be had; else OK.
  Status check_writable() const;
  unsigned threads_or(unsigned asked) const;
  /// Until nothing is left that opening left for later.
  /// Errors: Graph::load_deferred()'s.
  Status load_vectors(unsigned threads, const ProgressCallback& progress) const;
  /// `meanwhile` is called beside the commit, where there is one: see IndexRecords::append().
  Result<persist::Sequence> append(const persist::Operation& operation,
                                   const std::function<void()>& meanwhile = {});
  void finish(persist::Sequence sequence);
  /// As writers see it, under the label's claim.
  bool live(graph::NodeId node) const;
  /// Rows for one call, or null when the graph has them all.
  std::unique_ptr<StoredRows> rows(StoredRows::Reading reading = StoredRows::Reading::kFast) const;
  /// The stored row of `node`, or null. Inside a Moment or under a claim.
  const float* row(graph::NodeId node, StoredRows* rows) const;
  /// True when the stored row of `node` has the bits of `vector`.
  bool holds(graph::NodeId node, std::span<const float> vector) const;
  Index::NodeView view(const graph::Moment& moment, graph::NodeId node) const;
  /// Of `labels` those that are live, and their vectors, appended.
  Status copy_live_rows(std::span<const Label> labels, std::vector<Label>& live,
                        std::vector<float>& vectors) const;
  /// Every label that is live at one moment.
  std::vector<Label> live_labels() const;
  /// Why the vector of a live node is not to be had.
  Status unreadable(Label label, const StoredRows& rows) const;

  // -- upsert.cc. Under the label's claim.
  Result<UpsertOutcome> upsert_claimed(Label label, std::span<const float> vector);
  /// True when the tombstone was lifted; false when it is past lifting.
  Result<bool> resurrect_claimed(Label label, graph::NodeId node);
  /// A plan, or null.
  std::shared_ptr<graph::LinkPlan> plan_link(graph::NodeId node) const noexcept;
  Status insert_claimed(Label label, std::span<const float> vector, graph::NodeId old);
  /// Wakes the background thread, or does the repair that is due by itself.
  void after_writes(std::uint64_t count) noexcept;

  // -- upsert_batch.cc.
  Result<BatchResult> upsert_batch_claimed(BatchPlan& plan, const BatchOptions& options);
  void classify(BatchPlan& plan) const;
  Status add_planned(BatchPlan& plan, unsigned threads);
  Result<persist::Sequence> commit_planned(const BatchPlan& plan);
  /// Links what was added; a batch of more than an eighth of what is live is shown round by round.
  /// kCancelled when some was taken back.
  Status link_planned(BatchPlan& plan, const BatchOptions& options);
  Status rebuild_and_link(BatchPlan& plan, const BatchOptions& options);
  /// What is not shown yet, and what is to be resurrected, in one step. `pending` has room for all.
  void show_planned(const BatchPlan& plan, std::vector<graph::NodeId>& pending);
  /// Undoes nodes[i] of the plan, whose labels had replaced[i], before they were linked.
  void take_back(std::span<const graph::NodeId> nodes, std::span<const graph::NodeId> replaced);
  /// Undoes the entries that are not linked, on disk and in memory, and leaves the linked ones in
  /// the plan. False: that could not be stored, and nothing was undone.
  bool take_back_unlinked(BatchPlan& plan);
  /// In one commit: what it replaced is live again, its nodes hold nothing.
  Result<persist::Sequence> store_taking_back(const BatchPlan& undone);

  // -- search.cc
  Status check_query(std::span<const float> query, const std::string& what = {}) const;
  /// One search of a checked query: calls take(found), nearest first, at most `most`.
  template <typename Take>
  Status find(std::span<const float> query, const SearchOptions& options, std::size_t most,
              SearchCounters& counters, const Take& take) const;
  /// Why rows of a search were missing, if so.
  Status check_rows(const StoredRows* rows) const;

  // -- repair.cc, rebuild.cc, checkpoint.cc
  /// One slice, if nobody else is at maintenance or `wait` says to wait for them.
  Result<RepairResult> repair_slice(std::uint64_t slice, bool wait, Reporter& reporter);
  /// kBusy: a callback asked for the turn at maintenance, which somebody else has.
  Status maintenance_refused() const;
  /// Records that unlinked nodes are free and recycles them. Returns how many.
  Result<std::uint64_t> free_unlinked();
  Status free_nodes(std::span<const graph::NodeId> nodes);
  bool repair_due() const;
  /// `also`: pending nodes that the fresh graph is to have.
  /// kBusy when somebody else is at maintenance and `wait` does not say to wait for them.
  Status rebuild_graph(unsigned threads, const ProgressCallback& progress, bool wait,
                       std::span<const graph::NodeId> also);
  Status checkpoint_inside(const ProgressCallback& progress);
  /// Of the rows that are kept because they stood in the journal only, those that are in chunks.
  void drop_stored_rows();

  // -- validate.cc
  void validate_labels(ValidateReport& report, std::size_t max_messages) const;
  Status validate_records(ValidateReport& report, const ValidateOptions& options) const;

  const std::string name_;
  const IndexOptions options_;
  const std::unique_ptr<graph::Graph> graph_;
  persist::StoreFile* const file_;
  std::unique_ptr<persist::IndexRecords> records_;  // changes only in close(), behind gate_
  const std::function<void()> on_write_;
  const bool durable_;  // has, or had, records
  const bool read_only_;

  mutable Gate gate_;
  LabelMap labels_;
  LabelClaims claims_;
  mutable FreshRows fresh_;

  Turn maintenance_;
  Turn checkpointing_;
  Turn rebuilding_;  ///< of the one rebuild that runs
  std::atomic<std::uint64_t> writes_since_slice_{0};
  // Bytes of rows whose links no checkpoint holds yet and which the journal does not count: those
  // of batches, and of what recovery linked anew. Losing them costs linking them again at the next
  // opening.
  std::atomic<std::uint64_t> unsaved_bytes_{0};
  std::atomic<bool> pass_open_{false};  // a repair pass was begun and is not finished

  Turn freeing_;
  std::vector<graph::NodeId> unfreed_;  // under freeing_: unlinked nodes that are not freed yet

  mutable std::mutex checkpoint_time_mutex_;
  std::optional<std::chrono::steady_clock::time_point> checkpointed_at_;

  // Written by recovery, before the index is shared.
  std::uint64_t salvaged_ = 0;
  std::uint64_t repaired_links_ = 0;
  double open_seconds_ = 0;

  /// Null when everything was in memory at the end of opening. Last: it ends before what it uses.
  std::unique_ptr<RowLoader> loader_;
};

}  // namespace vicinal::engine
