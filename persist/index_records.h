// IndexRecords: the records of one index, as the engine holds them.
//
// What: it hands each verb to the file that is named after it (append_batch.h, load.h,
// checkpoint.h, verify.h, journal_dump.h); a single operation goes to the store's CommitQueue.
// Ownership: belongs to whoever opened it, and ends before its StoreFile; owns its StoredIndex.
// Threads: any; checkpoints one at a time (checkpoint_mutex_), everything else is ordered by LMDB's
// writer.
//
// Invariants: P1 to P5 of store_file.h, R1 to R3 of stored_index.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/mutex.h"
#include "persist/checkpoint_source.h"
#include "persist/loading.h"
#include "persist/operations.h"
#include "persist/row_reader.h"
#include "persist/stored_options.h"
#include "vicinal/options.h"
#include "vicinal/status.h"

namespace vicinal::persist {

class CommitQueue;
struct StoredIndex;

struct RecordStats {
  std::uint64_t journal_entries = 0;
  std::uint64_t journal_bytes = 0;  ///< of keys and values
};

class IndexRecords {
 public:
  /// `queue` is the store's.
  IndexRecords(std::unique_ptr<StoredIndex> index, CommitQueue& queue);
  /// `closed` is called by the destructor.
  void on_close(std::function<void()> closed) noexcept { closed_ = std::move(closed); }
  ~IndexRecords();
  IndexRecords(const IndexRecords&) = delete;
  IndexRecords& operator=(const IndexRecords&) = delete;

  const StoredOptions& options() const;
  /// The numeric id, which no other index of the store ever has.
  std::uint32_t id() const;

  /// Reads everything, in the order of LoadVisitor. Once, before any
  /// other use. kCorruption names the label (or node) of a damaged vector record. Damaged link
  /// records are left out and counted.
  Result<LoadReport> load(LoadVisitor& visitor, const LoadOptions& options);

  /// Commits `operation`, sharing the commit with whoever else waits, and returns its sequence once
  /// it is as durable as the store's durability says. The caller calls finish() when the operation
  /// is fully applied in memory.
  /// `meanwhile`, when it is there, is called once by this thread, before or beside the commit,
  /// unless the operation is refused before that; it must not throw, and of the store it may only
  /// read.
  /// Errors: kIoError, kFull: nothing was stored; kReadOnly; kInvalidArgument.
  Result<Sequence> append(const Operation& operation, const std::function<void()>& meanwhile);
  Result<Sequence> append(const Operation& operation) { return append(operation, {}); }
  /// Commits a batch: rows go to chunks at once. P2 holds for the whole batch.
  Result<Sequence> append_batch(const Batch& batch);
  /// The operation is applied in memory: a checkpoint may take it out of the journal.
  void finish(Sequence sequence);

  /// Writes changed links and moves finished journal entries into chunks and node records. One at a
  /// time (a second caller waits). Bounded transactions; writers go on in between.
  Result<CheckpointReport> checkpoint(CheckpointSource& source, const ProgressCallback& progress);

  /// Rows inside the map. The reader pins a snapshot: drop it soon. A thread that holds one must
  /// not call anything else of this store: growing the map waits for it. In a read-only store that
  /// another process writes, rows may be newer than what load() delivered.
  Result<std::unique_ptr<RowReader>> row_reader();
  /// The same rows, copied chunk by chunk past the map, their checksums verified: for many rows in
  /// ascending order. A row is valid until the next one of another chunk; nullptr also when the
  /// chunk cannot be read or is damaged.
  Result<std::unique_ptr<RowReader>> chunk_copier();

  /// Journal entries as one JSON object each: {"seq":..,"op":"upsert",..} without rows.
  Status for_each_journal_entry(const std::function<bool(const std::string&)>& visit);

  /// Verifies every record's checksum and cross-counts. Returns how many fail; a line for each of
  /// the first 100.
  Result<std::uint64_t> verify(std::vector<std::string>* messages);

  RecordStats stats() const;

 private:
  const std::unique_ptr<StoredIndex> index_;
  CommitQueue& queue_;
  internal::Mutex checkpoint_mutex_;
  std::function<void()> closed_;
};

}  // namespace vicinal::persist
