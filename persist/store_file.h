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
#include <string>
#include <string_view>
#include <vector>

#include "persist/checkpoint_source.h"
#include "persist/loading.h"
#include "persist/operations.h"
#include "persist/row_reader.h"
#include "persist/stored_options.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::persist {

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
