#include "persist/index_records.h"

#include <fmt/format.h>

#include <utility>

#include "persist/append_batch.h"
#include "persist/checkpoint.h"
#include "persist/chunk_copier.h"
#include "persist/codec.h"
#include "persist/commit_queue.h"
#include "persist/journal_dump.h"
#include "persist/load.h"
#include "persist/map_row_reader.h"
#include "persist/range_tail.h"
#include "persist/stored_index.h"
#include "persist/verify.h"

namespace vicinal::persist {
namespace {

Status check(const StoredIndex& index, const Operation& op) {
  if (index.environment.read_only()) return Status::read_only("the store was opened for reading");
  const auto bad_node = [](graph::NodeId node) { return graph::raw(node) >= graph::kMaxNodes; };
  for (const graph::NodeId node : op.nodes) {
    if (bad_node(node)) {
      return Status::invalid_argument(fmt::format("node {} is out of range", graph::raw(node)));
    }
  }
  switch (op.kind) {
    case OperationKind::kUpsert:
      if (op.row.size() != index.layout.row_bytes() || op.level >= graph::kMaxLevels) {
        return Status::invalid_argument(
            fmt::format("a row of {} bytes at level {}, the index has {}", op.row.size(), op.level,
                        index.layout.row_bytes()));
      }
      [[fallthrough]];
    case OperationKind::kErase:
    case OperationKind::kResurrect:
      if (bad_node(op.node)) {
        return Status::invalid_argument(
            fmt::format("node {} is out of range", graph::raw(op.node)));
      }
      return {};
    case OperationKind::kEraseBatch:
      if (op.nodes.size() != op.labels.size()) {
        return Status::invalid_argument(
            fmt::format("{} nodes under {} labels", op.nodes.size(), op.labels.size()));
      }
      return {};
    case OperationKind::kFree:
      return {};
    case OperationKind::kBatch:
      break;
  }
  return Status::invalid_argument("a batch goes through append_batch()");
}

}  // namespace

IndexRecords::IndexRecords(std::unique_ptr<StoredIndex> index, CommitQueue& queue)
    : index_(std::move(index)), queue_(queue) {}

IndexRecords::~IndexRecords() {
  if (closed_) closed_();
}

const StoredOptions& IndexRecords::options() const { return index_->options; }

std::uint32_t IndexRecords::id() const { return index_->index; }

Result<LoadReport> IndexRecords::load(LoadVisitor& visitor, const LoadOptions& options) {
  return persist::load(*index_, visitor, options);
}

Result<Sequence> IndexRecords::append(const Operation& operation,
                                      const std::function<void()>& meanwhile) {
  if (Status status = check(*index_, operation); !status.ok()) return status;
  const CommitQueue::Target target{
      index_->databases.journal, &index_->ledger,
      operation.kind == OperationKind::kUpsert ? WriteKind::kAdds : WriteKind::kKeepsOrFrees};
  return queue_.append(target, encode(operation, index_->options.storage), meanwhile);
}

Result<Sequence> IndexRecords::append_batch(const Batch& batch) {
  return persist::append_batch(*index_, batch);
}

void IndexRecords::finish(Sequence sequence) { index_->ledger.finish(sequence); }

Result<CheckpointReport> IndexRecords::checkpoint(CheckpointSource& source,
                                                  const ProgressCallback& progress) {
  const internal::MutexLock lock(checkpoint_mutex_);
  return persist::checkpoint(*index_, source, progress);
}

Result<std::unique_ptr<RowReader>> IndexRecords::row_reader() {
  Result<ReadTransaction> transaction = index_->environment.read();
  if (!transaction) return transaction.status();
  return std::unique_ptr<RowReader>(
      new MapRowReader(std::move(*transaction), index_->databases.vectors, index_->layout));
}

Result<std::unique_ptr<RowReader>> IndexRecords::chunk_copier() {
  Result<ReadTransaction> transaction = index_->environment.read();
  if (!transaction) return transaction.status();
  return std::unique_ptr<RowReader>(new ChunkCopier(index_->environment, std::move(*transaction),
                                                    index_->databases.vectors, index_->layout));
}

Status IndexRecords::for_each_journal_entry(const std::function<bool(const std::string&)>& visit) {
  return persist::for_each_journal_entry(*index_, visit);
}

Result<std::uint64_t> IndexRecords::verify(std::vector<std::string>* messages) {
  return persist::verify(*index_, messages);
}

RecordStats IndexRecords::stats() const {
  Result<ReadTransaction> transaction = index_->environment.read();
  if (!transaction) return {};
  const Result<TailRecord> tail = read_tail(**transaction, index_->databases.journal);
  if (!tail) return {};
  return {tail->entries, tail->bytes};
}

}  // namespace vicinal::persist
