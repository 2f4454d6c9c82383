#include "persist/index_records.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "persist/journal.h"
#include "persist/row_readers.h"

namespace vicinal::persist {
namespace {

constexpr std::array<const char*, 5> kDatabaseNames = {"meta", "vectors", "nodes", "links",
                                                       "journal"};

std::string database_name(std::uint32_t index, const char* part) {
  return fmt::format("{}.{}", index, part);
}

const char* operation_name(OperationKind kind) {
  switch (kind) {
    case OperationKind::kUpsert:
      return "upsert";
    case OperationKind::kErase:
      return "erase";
    case OperationKind::kResurrect:
      return "resurrect";
    case OperationKind::kFree:
      return "free";
    case OperationKind::kBatch:
      return "batch";
    case OperationKind::kEraseBatch:
      return "erase_batch";
  }
  return "unknown";
}

std::string id_or_null(graph::NodeId node) {
  return node == graph::kNoNode ? "null" : std::to_string(graph::raw(node));
}

std::string id_list(std::span<const graph::NodeId> nodes) {
  std::string text = "[";
  for (const graph::NodeId node : nodes) {
    if (text.size() > 1) text += ',';
    text += id_or_null(node);
  }
  return text + "]";
}

std::string entry_json(Sequence sequence, const JournalEntry& e) {
  std::string text = fmt::format(R"({{"seq":{},"op":"{}")", sequence, operation_name(e.kind));
  switch (e.kind) {
    case OperationKind::kUpsert:
      text += fmt::format(R"(,"label":{},"node":{},"level":{},"replaced":{})", e.label,
                          graph::raw(e.node), e.level, id_or_null(e.replaced));
      break;
    case OperationKind::kErase:
    case OperationKind::kResurrect:
      text += fmt::format(R"(,"label":{},"node":{})", e.label, graph::raw(e.node));
      break;
    case OperationKind::kFree:
      text += fmt::format(R"(,"nodes":{})", id_list(e.nodes));
      break;
    case OperationKind::kEraseBatch:
      text +=
          fmt::format(R"(,"labels":[{}],"nodes":{})", fmt::join(e.labels, ","), id_list(e.nodes));
      break;
    case OperationKind::kBatch:
      text += fmt::format(R"(,"labels":[{}],"nodes":{},"levels":[{}],"replaced":{})",
                          fmt::join(e.labels, ","), id_list(e.nodes), fmt::join(e.levels, ","),
                          id_list(e.replaced_nodes));
      text += fmt::format(R"(,"resurrected":{},"resurrected_labels":[{}])", id_list(e.resurrected),
                          fmt::join(e.resurrected_labels, ","));
      break;
  }
  return text + "}";
}

}  // namespace

Result<IndexDatabases> IndexDatabases::open(Transaction& transaction, std::uint32_t index,
                                            bool create) {
  IndexDatabases databases;
  const std::array<DatabaseHandle*, 5> handles = {
      &databases.meta, &databases.vectors, &databases.nodes, &databases.links, &databases.journal};
  for (std::size_t i = 0; i < handles.size(); ++i) {
    Result<DatabaseHandle> handle =
        transaction.open_database(database_name(index, kDatabaseNames[i]), create);
    if (!handle) {
      if (handle.status().code() != StatusCode::kNotFound) return handle.status();
      return Status::corruption(
          fmt::format("database {} is missing", database_name(index, kDatabaseNames[i])));
    }
    *handles[i] = *handle;
  }
  return databases;
}

Status IndexDatabases::drop(Transaction& transaction, std::uint32_t index) {
  for (const char* part : kDatabaseNames) {
    if (Status s = transaction.drop_database(database_name(index, part)); !s.ok()) return s;
  }
  return {};
}

StoredIndex::StoredIndex(Environment* environment, CommitQueue* queue, std::string name,
                         std::uint32_t index, const IndexDatabases& databases,
                         const OptionsRecord& options)
    : environment_(environment),
      queue_(queue),
      name_(std::move(name)),
      index_(index),
      databases_(databases),
      options_(options),
      layout_{index, options.options.dimension, options.rows_per_chunk},
      target_{databases.journal, index, &ledger_} {}

StoredIndex::~StoredIndex() {
  if (closed_) closed_();
}

Status StoredIndex::start(Transaction& transaction) {
  StateRecord state;
  Status status = read_record(transaction, databases_.meta, state_id(index_), &state);
  if (!status.ok()) return status;
  Sequence last = state.applied;
  Bytes key;
  Result<bool> any = transaction.last_key(databases_.journal, &key);
  if (!any) return any.status();
  if (*any) {
    Sequence sequence = 0;
    if (!parse_key(key, &sequence) || sequence <= state.applied) {
      return Status::corruption(
          fmt::format("journal of index {} ends with entry {}, but {} are applied", index_,
                      sequence, state.applied));
    }
    last = sequence;
  }
  ledger_.start(last + 1);
  return {};
}

Status StoredIndex::check(const Operation& op) const {
  if (environment_->read_only()) return Status::read_only("the store was opened for reading");
  const auto bad_node = [](graph::NodeId node) { return graph::raw(node) >= graph::kMaxNodes; };
  for (const graph::NodeId node : op.nodes) {
    if (bad_node(node)) {
      return Status::invalid_argument(fmt::format("node {} is out of range", graph::raw(node)));
    }
  }
  switch (op.kind) {
    case OperationKind::kUpsert:
      if (op.row.size() != options().dimension || op.level >= graph::kMaxLevels) {
        return Status::invalid_argument(fmt::format("a row of {} at level {}, the index has {}",
                                                    op.row.size(), op.level, options().dimension));
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

Result<Sequence> StoredIndex::append(const Operation& operation,
                                     const std::function<void()>& meanwhile) {
  if (Status status = check(operation); !status.ok()) return status;
  return queue_->append(target_, encode(operation), meanwhile);
}

Result<std::unique_ptr<RowReader>> StoredIndex::row_reader() {
  Result<ReadTransaction> transaction = environment_->read();
  if (!transaction) return transaction.status();
  return std::unique_ptr<RowReader>(
      new MapRowReader(std::move(*transaction), databases_.vectors, layout_, verified_chunks_));
}

Result<std::unique_ptr<RowReader>> StoredIndex::chunk_copier() {
  Result<ReadTransaction> transaction = environment_->read();
  if (!transaction) return transaction.status();
  return std::unique_ptr<RowReader>(new ChunkCopier(*environment_, std::move(*transaction),
                                                    databases_.vectors, layout_, verified_chunks_));
}

Status StoredIndex::for_each_journal_entry(const std::function<bool(const std::string&)>& visit) {
  // Some at a time: `visit` may write, and growing the map waits for a snapshot that is pinned. Not
  // beyond what is there now, or what it writes would go on for ever.
  constexpr std::size_t kAtOnce = 1024;
  std::vector<std::string> lines;
  Sequence last = 0;
  for (Sequence from = 0;;) {
    lines.clear();
    Result<ReadTransaction> transaction = environment_->read();
    if (!transaction) return transaction.status();
    if (from == 0) {
      Bytes key;
      Result<bool> any = (*transaction)->last_key(databases_.journal, &key);
      if (!any) return any.status();
      if (*any) parse_key(key, &last);  // a key that is none is damage, which the walk tells
    }
    const Status status = walk_journal(
        **transaction, databases_.journal, index_,
        [&](Sequence sequence, Bytes payload, const Status& damage) -> Status {
          if (damage.ok() && sequence > last) return {};
          if (lines.size() == kAtOnce) return Status::cancelled("");
          if (!damage.ok()) return damage;
          JournalEntry entry;
          if (Status s = decode(payload, options().dimension, &entry); !s.ok()) return s;
          lines.push_back(entry_json(sequence, entry));
          from = sequence + 1;
          return {};
        },
        from);
    { const ReadTransaction ended = std::move(*transaction); }
    for (const std::string& line : lines) {
      if (!visit(line)) return {};
    }
    if (status.code() != StatusCode::kCancelled) return status;
  }
}

RecordStats StoredIndex::stats() const {
  Result<ReadTransaction> transaction = environment_->read();
  if (!transaction) return {};
  Result<DatabaseStats> stats = (*transaction)->stats(databases_.journal);
  if (!stats) return {};
  return {stats->entries, stats->bytes};
}

}  // namespace vicinal::persist
