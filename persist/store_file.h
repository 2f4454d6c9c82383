// StoreFile: the way to disk. One LMDB environment that holds the records of any number of named
// indexes.
//
// What: records (meta, vectors, nodes, links, journal), group commit, checkpoint, recovery,
// verification, compact copies. FORMAT.md beside this file is the byte-level truth. This room knows
// nothing of how a graph works: it stores rows, node records and links, and gives them back.
// Ownership: a StoreFile owns the environment; IndexRecords belong to their StoreFile and die
// before it.
// Threads: every method from any thread unless said otherwise. LMDB's single writer is behind one
// mutex, which is never held while waiting for a caller's code that may block.
//
// Invariants (checked by tests/persist and by verify()):
//   P1  What append() or append_batch() acknowledged is found by load() after kill -9 at any
//       instant, with its exact row, unless a later operation replaced it.
//   P2  What was not acknowledged is found whole or not at all; a batch likewise, however many
//       transactions it took.
//   P3  Every record carries a version and a checksum over its key and value; no length is believed
//       before it is bounded by the index's own limits.
//   P4  A crash during a checkpoint loses nothing: journal entries go in the transaction that
//       stores what they said, links go before the entries they belong to.
//   P5  No read transaction outlives a call (or a RowReader).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/types.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// The options of an index that are stored with it.
struct StoredOptions {
  std::uint32_t dimension = 0;
  Metric metric = Metric::kCosine;
  std::uint32_t M = 16;
  std::uint32_t ef_construction = 200;
  std::uint32_t ef_search = 64;
  Quantization quantization = Quantization::kInt8;
  std::uint64_t seed = 42;

  friend bool operator==(const StoredOptions&, const StoredOptions&) = default;
};

/// Number of a journalled operation, growing by one, per index. 0 is "none".
using Sequence = std::uint64_t;

/// What a journal entry says. On disk: never renumber.
enum class OperationKind : std::uint8_t {
  kUpsert =
      1,       ///< `node` now holds `row` under `label`; `replaced` (or kNoNode) became a tombstone
  kErase = 2,  ///< `node` under `label` became a tombstone
  kResurrect = 3,  ///< tombstone `node` under `label` is live again
  kFree = 4,       ///< `nodes` hold nothing any more; their slots may be reused once append() of
                   ///< this returned
  kBatch = 5,  ///< a committed batch: `nodes`, `labels`, `replaced_nodes` side by side; rows are in
               ///< chunks
  kEraseBatch = 6,  ///< `nodes` under `labels` became tombstones
};

/// One operation as the engine hands it over. Spans must live until the call returns.
struct Operation {
  OperationKind kind = OperationKind::kUpsert;
  Label label = 0;
  graph::NodeId node = graph::kNoNode;
  graph::NodeId replaced = graph::kNoNode;
  graph::Level level = 0;                ///< kUpsert: the node's highest level
  std::span<const float> row;            ///< kUpsert: `dimension` components, the exact bits
  std::span<const graph::NodeId> nodes;  ///< kFree, kEraseBatch
  std::span<const Label> labels;         ///< kEraseBatch
};

/// A batch: entry i stores rows[i] (each `dimension` floats) in nodes[i] under labels[i] with
/// levels[i]; replaced[i] (or kNoNode) becomes a tombstone. resurrected: nodes whose tombstones are
/// lifted by the batch. freed: other nodes, which hold nothing any more.
struct Batch {
  std::span<const graph::NodeId> nodes;
  std::span<const Label> labels;
  std::span<const graph::Level> levels;
  std::span<const graph::NodeId> replaced;
  std::function<const float*(std::size_t i)> row;
  std::span<const graph::NodeId> resurrected;
  std::span<const Label> resurrected_labels;
  std::span<const graph::NodeId> freed = {};
};

/// A node as load() delivers it, kLive or kTombstone. Its row is valid during place() only. A
/// chunk's first row is 64-byte aligned, the others follow without gaps.
using LoadedNode = graph::StoredPayload;

/// Takes what load() reads, in the order of the methods here. Calls come from the loading thread
/// but for place() and links(): with LoadOptions::parallel several of them run at once.
class LoadVisitor {
 public:
  virtual ~LoadVisitor() = default;
  /// Once, first: slots in use are below `node_limit`.
  virtual Status begin(std::uint64_t node_limit, graph::EntryPoint entry_point) = 0;
  /// Checkpointed nodes of one chunk, ascending, as soon as its checksum is verified: the rows are
  /// still in the thread's cache. Chunks come in any order, each once. Without LoadOptions::rows:
  /// nodes of some chunks, with no rows.
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
  /// False: nodes come without rows. Their chunks are neither read nor verified, but for what the
  /// journal needs; RowReaders verify what they read. Salvage needs the rows.
  bool rows = true;
  ProgressCallback progress;
  /// Calls body(i) for every i below `count`, on several threads, and returns when all are done.
  /// Empty: the loading thread does everything.
  std::function<void(std::size_t count, const std::function<void(std::size_t)>& body)> parallel =
      {};

  void for_all(std::size_t count, const std::function<void(std::size_t)>& body) const {
    if (parallel) return parallel(count, body);
    for (std::size_t i = 0; i < count; ++i) body(i);
  }
};

struct LoadReport {
  std::uint64_t nodes = 0;
  std::uint64_t journal_entries = 0;
  std::uint64_t damaged_links = 0;    ///< link records that failed and were left out
  std::uint64_t salvaged = 0;         ///< vector or node records set aside (salvage only)
  std::vector<std::string> messages;  ///< a line for each of the first 100
};

/// Access to rows in LMDB's map for the length of a call. Not for sharing between threads.
class RowReader {
 public:
  virtual ~RowReader() = default;
  /// The row of `node` inside the map, or nullptr when its chunk has none. Only for nodes whose
  /// rows are in chunks: delivered by load() before replay(), stored by append_batch(), or moved by
  /// checkpoint(); of another node it may be any row of its slot. Rows of a chunk follow each other
  /// without gaps from a 64-byte boundary. Every chunk's checksum was verified once, by load() or
  /// by the first who read it.
  virtual const float* row(graph::NodeId node) = 0;
  /// Why the last row() was nullptr.
  virtual Status why() const = 0;
};

/// What a checkpoint needs from the engine.
class CheckpointSource {
 public:
  virtual ~CheckpointSource() = default;
  /// Nodes whose links changed since the last checkpoint, ascending; forgets them. What changes
  /// later is reported by the next checkpoint.
  virtual std::vector<graph::NodeId> take_changed_nodes() = 0;
  /// The node's links as they are now; empty when the slot is free or holds a pending node.
  virtual graph::NodeLinks links(graph::NodeId node) = 0;
  virtual graph::EntryPoint entry_point() = 0;
  /// Whether no links changed since take_changed_nodes(), nor are about to.
  virtual bool settled() = 0;
  /// Whether what links() and entry_point() gave so far may be stored; asked before it is.
  virtual Status status() { return {}; }
  /// A checkpoint failed after take_changed_nodes(): these must be reported again.
  virtual void give_back_changed_nodes(std::span<const graph::NodeId> nodes) = 0;
};

struct CheckpointReport {
  std::uint64_t journal_entries = 0;  ///< moved out of the journal
  std::uint64_t link_records = 0;     ///< written
  std::uint64_t rows = 0;             ///< went from the journal to a chunk
};

struct RecordStats {
  std::uint64_t journal_entries = 0;
  std::uint64_t journal_bytes = 0;
};

/// The records of one index.
class IndexRecords {
 public:
  virtual ~IndexRecords() = default;

  virtual const StoredOptions& options() const = 0;

  /// Reads everything (but see LoadOptions::rows), in the order of LoadVisitor. Once, before any
  /// other use. kCorruption names the label (or node) of a damaged vector record. Damaged link
  /// records are left out and counted.
  virtual Result<LoadReport> load(LoadVisitor& visitor, const LoadOptions& options) = 0;

  /// Commits `operation`, sharing the commit with whoever else waits, and returns its sequence once
  /// it is as durable as the store's durability says. The caller calls finish() when the operation
  /// is fully applied in memory.
  /// Errors: kIoError, kFull: nothing was stored. kReadOnly. `meanwhile`, when it is there, is
  /// called once by this thread, before or beside the commit, unless the operation is refused
  /// before that; it must not throw, and of the store it may only read.
  virtual Result<Sequence> append(const Operation& operation,
                                  const std::function<void()>& meanwhile) = 0;
  Result<Sequence> append(const Operation& operation) { return append(operation, {}); }
  /// Commits a batch: rows go to chunks at once. P2 holds for the whole batch.
  virtual Result<Sequence> append_batch(const Batch& batch) = 0;
  /// The operation is applied in memory: a checkpoint may take it out of the journal.
  virtual void finish(Sequence sequence) = 0;

  /// Writes changed links and moves finished journal entries into chunks and node records. One at a
  /// time (a second caller waits). Bounded transactions; writers go on in between.
  virtual Result<CheckpointReport> checkpoint(CheckpointSource& source,
                                              const ProgressCallback& progress) = 0;

  /// Rows inside the map. The reader pins a snapshot: drop it soon. A thread that holds one must
  /// not call anything else of this store: growing the map waits for it. In a read-only store that
  /// another process writes, rows may be newer than what load() delivered.
  virtual Result<std::unique_ptr<RowReader>> row_reader() = 0;
  /// The same rows, copied chunk by chunk past the map, their checksums verified: for many rows in
  /// ascending order. A row is valid until the next one of another chunk; nullptr also when the
  /// chunk cannot be read or is damaged.
  virtual Result<std::unique_ptr<RowReader>> chunk_copier() = 0;

  /// Journal entries as one JSON object each: {"seq":..,"op":"upsert",..} without rows.
  virtual Status for_each_journal_entry(const std::function<bool(const std::string&)>& visit) = 0;

  /// Verifies every record's checksum and cross-counts. Returns how many fail; a line for each of
  /// the first 100.
  virtual Result<std::uint64_t> verify(std::vector<std::string>* messages) = 0;

  virtual RecordStats stats() const = 0;
};

class StoreFile {
 public:
  virtual ~StoreFile() = default;

  /// See Store::open for errors. Checks the data file's size before mapping it, takes the writer's
  /// lock (a registry by device and inode in this process, a lock file across processes), clears
  /// stale readers.
  static Result<std::unique_ptr<StoreFile>> open(const std::string& path,
                                                 const StoreOptions& options);

  virtual const StoreOptions& options() const = 0;
  virtual const std::string& path() const = 0;

  virtual Result<std::vector<std::string>> index_names() = 0;
  /// The options stored for `name`, or kNotFound.
  virtual Result<StoredOptions> stored_options(std::string_view name) = 0;
  virtual Result<std::unique_ptr<IndexRecords>> create_index(std::string_view name,
                                                             const StoredOptions& options) = 0;
  virtual Result<std::unique_ptr<IndexRecords>> open_index(std::string_view name) = 0;
  /// Deletes the records; no IndexRecords of that name may be alive.
  virtual Status drop_index(std::string_view name) = 0;

  virtual Status sync() = 0;
  virtual Status backup(const std::string& path) = 0;
  virtual std::uint64_t bytes_on_disk() const = 0;
};

}  // namespace vicinal::persist
