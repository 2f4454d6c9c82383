// IndexCore: one index: what its parts share, the parts, and how it begins and ends.
//
// What: index_state.h is shared; writer.h changes it, reader.h looks at it, maintenance.h keeps its
// graph good, checkpoints.h brings links to disk, recovery.h fills it once.
// Here is what concerns all of them: stats.cc, closing, and what the store asks. Index is a thin
// handle.
// Ownership: shared by handles and by the store's registry. Parts are declared after what they use.
// Threads: every method from any thread; see the parts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/checkpoints.h"
#include "engine/index_state.h"
#include "engine/maintenance.h"
#include "engine/reader.h"
#include "engine/recovery.h"
#include "engine/write_pause.h"
#include "engine/writer.h"
#include "graph/graph.h"
#include "persist/index_records.h"
#include "persist/store_file.h"
#include "vicinal/options.h"
#include "vicinal/status.h"
#include "vicinal/stream.h"

namespace vicinal::engine {

/// What an index borrows from its store; all null for an index in memory.
struct StoreLink {
  persist::StoreFile* file = nullptr;              ///< outlives the records
  std::unique_ptr<persist::IndexRecords> records;  ///< owned by the index until it is closed
  std::function<void()> on_write;                  ///< wakes the background thread; may be empty
};

/// What the graph of an index is told.
graph::Config graph_config(const IndexOptions& options);

class IndexCore {
 public:
  /// `options` are checked here. With records, loads what they hold.
  static Result<std::shared_ptr<IndexCore>> make(std::string name, const IndexOptions& options,
                                                 StoreLink link);
  /// An index in memory of what a stream holds; see Index::load().
  static Result<std::shared_ptr<IndexCore>> load(const ByteSource& source,
                                                 const IndexOptions& tuning);
  IndexCore(std::string name, const IndexOptions& options, std::unique_ptr<graph::Graph> graph,
            StoreLink link);
  ~IndexCore() = default;
  IndexCore(const IndexCore&) = delete;
  IndexCore& operator=(const IndexCore&) = delete;

  // The parts: most verbs of Index (see there) are theirs. Writer and reader hold nothing of their own.
  Writer writer() { return {state_, maintenance_, stored_ ? &stored_->checkpoints : nullptr}; }
  Reader reader() const { return {state_, known_recall_}; }
  Maintenance& maintenance() { return maintenance_; }
  KnownRecall& known_recall() const { return known_recall_; }

  // The other verbs of Index.
  std::uint64_t size() const;
  const IndexOptions& options() const { return state_.options; }
  Stats stats() const;
  Status reserve(std::uint64_t count);
  Status sync();
  Status checkpoint(const ProgressCallback& progress);

  // For the store.
  const std::string& name() const { return state_.name; }
  /// `self` keeps this.
  Result<std::unique_ptr<WritePause>> pause_writes(std::shared_ptr<const IndexCore> self) const {
    return WritePause::begin(std::move(self), state_);
  }
  Result<std::uint64_t> verify_records(std::vector<std::string>* messages) const;
  Status for_each_journal_entry(const std::function<bool(const std::string&)>& visit) const;
  /// True in a callback of one of its calls, and for who has paused its writes: close() would wait for
  /// itself.
  bool thread_is_inside() const {
    return Gate::Pass::thread_is_inside(state_.gate) || paused_by_this_thread();
  }
  bool paused_by_this_thread() const { return state_.graph->write_gate().closed_by_this_thread(); }
  /// Whether the calling thread has paused writes: then `what` is done when they go on.
  bool put_off_until_writes(PutOff& what) noexcept {
    return state_.graph->write_gate().put_off(what);
  }
  /// Waits for calls inside, checkpoints when `with_checkpoint`, lets go of the records.
  /// Idempotent.
  Status close(bool with_checkpoint) noexcept;
  /// For the background thread: one checkpoint or one slice of repair, if due. What fails is kept
  /// and told by the state's health.
  Due maintain(std::uint64_t checkpoint_bytes) noexcept;

 private:
  /// What the records hold, before the index is shared.
  Status load();
  void tell_damage(Severity severity, const Status& what, std::uint64_t records) const noexcept;

  /// What only an index in a store has, beside what the state says so of.
  struct StoredParts {
    StoredParts(IndexState& state, std::function<void()> wake)
        : checkpoints(state), on_write(std::move(wake)) {}
    Checkpoints checkpoints;
    const std::function<void()> on_write;  ///< may be empty
    RecoveryReport loaded;                 ///< before the index is shared
  };

  IndexState state_;
  const std::unique_ptr<StoredParts> stored_;  ///< null in memory
  mutable KnownRecall known_recall_{state_};
  Maintenance maintenance_;
};

}  // namespace vicinal::engine
