// StoredIndex: the records of one index over its five databases.
//
// Each verb is a file: append and batch (index_records.cc, append_batch.cc), load.cc,
// checkpoint.cc, verify.cc.
// Ownership: belongs to its StoreFile.
// Threads: any; checkpoints one at a time (checkpoint_mutex_), everything else is ordered by LMDB's
// writer.
//
// Invariants:
//   R1  A slot is reused only after the kFree entry of its former node is committed. So a node that
//       a journal entry frees later is doomed: load() never delivers it, and rows that a batch
//       writes into a free slot's chunk harm nobody, whether the batch counts in the end or not.
//   R2  Node records change only by checkpoints, in the transaction that deletes the journal
//       entries that say so.
//   R3  Sequences in the journal ascend, and are greater than StateRecord::applied.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "persist/chunks.h"
#include "persist/codec.h"
#include "persist/commit_queue.h"
#include "persist/lmdb_env.h"
#include "persist/sequences.h"
#include "persist/store_file.h"
#include "persist/verified_chunks.h"

namespace vicinal::persist {

/// The databases of an index.
struct IndexDatabases {
  DatabaseHandle meta = 0;
  DatabaseHandle vectors = 0;
  DatabaseHandle nodes = 0;
  DatabaseHandle links = 0;
  DatabaseHandle journal = 0;

  /// Inside Environment::with_handles.
  static Result<IndexDatabases> open(Transaction& transaction, std::uint32_t index, bool create);
  static Status drop(Transaction& transaction, std::uint32_t index);
};

/// Reads and writes records that are stored under a fixed key.
template <typename Record>
Status read_record(Transaction& transaction, DatabaseHandle database, const RecordId& id,
                   Record* record) {
  Bytes value;
  Result<bool> found = transaction.get(database, id.key, &value);
  if (!found) return found.status();
  if (!*found) return Status::corruption(describe(id) + " is missing");
  Result<Bytes> payload = unseal(id, value);
  if (!payload) return payload.status();
  Status status = decode(*payload, record);
  return status.ok() ? status : Status::corruption(describe(id) + ": " + status.message());
}
template <typename Record>
Status write_record(Transaction& transaction, DatabaseHandle database, const RecordId& id,
                    const Record& record) {
  RecordBuffer buffer = encode(record);
  seal(id, &buffer);
  return transaction.put(database, id.key, buffer);
}
inline RecordId options_id(std::uint32_t index) {
  return {RecordKind::kOptions, index, text_key("options")};
}
inline RecordId state_id(std::uint32_t index) {
  return {RecordKind::kState, index, text_key("state")};
}

class StoredIndex final : public IndexRecords {
 public:
  StoredIndex(Environment* environment, CommitQueue* queue, std::string name, std::uint32_t index,
              const IndexDatabases& databases, const OptionsRecord& options);
  /// Called in the transaction that opened the databases: where the journal goes on.
  Status start(Transaction& transaction);
  void on_close(std::function<void()> closed) { closed_ = std::move(closed); }
  ~StoredIndex() override;

  const StoredOptions& options() const override { return options_.options; }
  Result<LoadReport> load(LoadVisitor& visitor, const LoadOptions& options) override;
  using IndexRecords::append;
  Result<Sequence> append(const Operation& operation,
                          const std::function<void()>& meanwhile) override;
  Result<Sequence> append_batch(const Batch& batch) override;
  void finish(Sequence sequence) override { ledger_.finish(sequence); }
  Result<CheckpointReport> checkpoint(CheckpointSource& source,
                                      const ProgressCallback& progress) override;
  Result<std::unique_ptr<RowReader>> row_reader() override;
  Result<std::unique_ptr<RowReader>> chunk_copier() override;
  Status for_each_journal_entry(const std::function<bool(const std::string&)>& visit) override;
  Result<std::uint64_t> verify(std::vector<std::string>* messages) override;
  RecordStats stats() const override;

 private:
  friend class Loader;
  friend class Checkpoint;
  friend class Verifier;

  Status check(const Operation& operation) const;
  Status check(const Batch& batch) const;

  Environment* environment_;
  CommitQueue* queue_;
  const std::string name_;
  const std::uint32_t index_;
  const IndexDatabases databases_;
  const OptionsRecord options_;
  const ChunkLayout layout_;
  SequenceLedger ledger_;
  const CommitQueue::Target target_;
  VerifiedChunks verified_chunks_;
  std::mutex checkpoint_mutex_;
  std::function<void()> closed_;
};

}  // namespace vicinal::persist
