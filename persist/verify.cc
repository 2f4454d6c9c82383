#include "persist/verify.h"

#include <fmt/format.h>

#include <cstddef>
#include <map>
#include <unordered_set>
#include <utility>

#include "persist/codec.h"
#include "persist/fixed_records.h"
#include "persist/journal.h"
#include "persist/lmdb_cursor.h"
#include "persist/node_blocks.h"
#include "persist/range_tail.h"
#include "persist/records.h"

namespace vicinal::persist {
namespace {

constexpr std::size_t kMaxMessages = 100;

void note(std::vector<std::string>* messages, std::string message) {
  if (messages != nullptr && messages->size() < kMaxMessages)
    messages->push_back(std::move(message));
}

class Verifier {
 public:
  Verifier(const StoredIndex& index, Transaction& transaction, std::vector<std::string>* messages)
      : index_(index), transaction_(transaction), messages_(messages) {}

  Result<std::uint64_t> run() {
    const std::uint32_t id = index_.index;
    OptionsRecord options;
    StateRecord state;
    count(read_record(transaction_, index_.databases.meta, options_id(id), &options));
    count(read_record(transaction_, index_.databases.meta, state_id(id), &state));
    node_limit_ = state.node_limit;
    if (Status s = verify_chunks(); !s.ok()) return s;
    if (Status s = verify_nodes(); !s.ok()) return s;
    verify_tail(index_.databases.nodes, "node blocks");
    if (Status s = verify_links(); !s.ok()) return s;
    if (Status s = verify_journal(state); !s.ok()) return s;
    verify_tail(index_.databases.journal, "journal entries");
    return failures_;
  }

 private:
  void count(const Status& status) {
    if (status.ok()) return;
    ++failures_;
    note(messages_, fmt::format("index '{}': {}", index_.name, status.message()));
  }

  /// visit() for every record under a 32-bit key.
  template <typename Visit>
  Status walk(const IndexRange& range, RecordKind kind, Visit&& visit) {
    Result<IndexRange::Walk> cursor = range.walk(transaction_);
    if (!cursor) return cursor.status();
    walked_ = 0;
    Result<bool> more = cursor->first();
    for (; more.ok() && *more; more = cursor->next()) {
      ++walked_;
      std::uint32_t number = 0;
      const RecordId id{kind, index_.index, cursor->key()};
      if (parse_key(cursor->key(), &number)) {
        count(visit(id, number, cursor->value()));
      } else {
        count(Status::corruption(describe(id) + ": wrong key"));
      }
    }
    return more.status();
  }

  /// That there are as many as the last walk met (R4).
  void verify_tail(const IndexRange& range, const char* what) {
    const Result<TailRecord> tail = read_tail(transaction_, range);
    if (!tail || tail->entries == walked_) {
      count(tail.status());
    } else {
      count(Status::corruption(fmt::format("{} {}, {} are found", tail->entries, what, walked_)));
    }
  }

  Status verify_chunks() {
    return walk(index_.databases.vectors, RecordKind::kVectors,
                [&](const RecordId&, std::uint32_t number, Bytes value) -> Status {
                  Result<ChunkRows> rows = read_chunk(index_.layout, number, value, true);
                  if (rows.ok()) rows_[number] = rows->count;
                  return rows.status();
                });
  }

  Status verify_nodes() {
    return walk(index_.databases.nodes, RecordKind::kNodes,
                [&](const RecordId& id, std::uint32_t number, Bytes value) -> Status {
                  Result<Bytes> payload = unseal(id, value);
                  if (!payload) return payload.status();
                  NodeBlock block;
                  if (Status s = decode(*payload, &block); !s.ok()) {
                    return Status::corruption(describe(id) + ": " + s.message());
                  }
                  return verify_block(id, number, block);
                });
  }

  Status verify_block(const RecordId& id, std::uint32_t number, const NodeBlock& block) {
    for (std::uint32_t slot = 0; slot < block.size(); ++slot) {
      const StoredNode& n = block[slot];
      if (n.state == graph::NodeState::kFree) continue;
      const auto node = static_cast<graph::NodeId>(number * kNodesPerBlock + slot);
      const auto chunk = rows_.find(index_.layout.chunk_of(node));
      if (graph::raw(node) >= node_limit_) {
        return Status::corruption(fmt::format("{}: node {} is not below the limit {}", describe(id),
                                              graph::raw(node), node_limit_));
      }
      if (chunk == rows_.end() || chunk->second <= index_.layout.slot_of(node)) {
        return Status::corruption(fmt::format("{}: node {} (label {}) has no row", describe(id),
                                              graph::raw(node), n.label));
      }
      if (n.state == graph::NodeState::kLive && !live_.insert(n.label).second) {
        return Status::corruption(fmt::format("{}: label {} is live twice", describe(id), n.label));
      }
    }
    return {};
  }

  Status verify_links() {
    return walk(index_.databases.links, RecordKind::kLinks,
                [&](const RecordId& id, std::uint32_t, Bytes value) -> Status {
                  Result<Bytes> payload = unseal(id, value);
                  if (!payload) return payload.status();
                  LinkGroup group;
                  Status s = decode(*payload, &group);
                  return s.ok() ? s : Status::corruption(describe(id) + ": " + s.message());
                });
  }

  Status verify_journal(const StateRecord& state) {
    walked_ = 0;
    return walk_journal(
        transaction_, index_.databases.journal,
        [&](Sequence sequence, Bytes payload, const Status& damage) -> Status {
          ++walked_;
          if (!damage.ok()) {
            count(damage);
            return {};
          }
          JournalEntry entry;
          Status s = decode(payload, index_.layout.row, &entry);
          if (s.ok() && sequence <= state.applied) {
            s = Status::corruption(fmt::format("{} are applied", state.applied));
          }
          if (s.ok()) s = verify_rows(entry);
          if (!s.ok()) {
            count(Status::corruption(fmt::format("journal entry {}: {}", sequence, s.message())));
          }
          return {};
        });
  }

  Status verify_rows(const JournalEntry& entry) {
    if (entry.kind != OperationKind::kBatch) return {};
    for (const graph::NodeId node : entry.nodes) {
      const auto chunk = rows_.find(index_.layout.chunk_of(node));
      if (chunk == rows_.end() || chunk->second <= index_.layout.slot_of(node)) {
        return Status::corruption(fmt::format("node {} has no row", graph::raw(node)));
      }
    }
    return {};
  }

  const StoredIndex& index_;
  Transaction& transaction_;
  std::vector<std::string>* messages_;
  std::uint64_t failures_ = 0;
  std::uint64_t node_limit_ = 0;
  std::uint64_t walked_ = 0;                     ///< records of the last walk
  std::map<std::uint32_t, std::uint32_t> rows_;  // chunk -> rows, sound chunks only
  std::unordered_set<Label> live_;
};

}  // namespace

Result<std::uint64_t> verify(StoredIndex& index, std::vector<std::string>* messages) {
  Result<ReadTransaction> transaction = index.environment.read(Stay::kLong);
  if (!transaction) return transaction.status();
  return Verifier(index, **transaction, messages).run();
}

Result<std::uint64_t> verify_ids(Transaction& transaction, const SharedDatabases& databases,
                                 const std::set<std::uint32_t>& ids,
                                 std::vector<std::string>* messages) {
  std::uint64_t failures = 0;
  for (std::size_t i = 0; i < SharedDatabases::kCount; ++i) {
    Result<Cursor> cursor = Cursor::open(transaction, databases.handles()[i]);
    if (!cursor) return cursor.status();
    Result<bool> more = cursor->first();
    std::uint64_t least = 0;
    while (more.ok() && *more) {
      const Bytes key = cursor->key();
      std::uint32_t id = 0;
      const bool has_id =
          key.size() > IndexRange::kIdBytes && parse_key(key.first(IndexRange::kIdBytes), &id);
      // Opened to read, keys may be in any order: a search by them could lead back for ever.
      if (has_id && id < least) {
        ++failures;
        note(messages, fmt::format("{}: its keys are not in order", SharedDatabases::kNames[i]));
        break;
      }
      if (has_id) least = id + std::uint64_t{1};
      if (!has_id || !ids.contains(id)) {
        ++failures;
        note(messages,
             fmt::format("{}: records of no index, under id {}", SharedDatabases::kNames[i], id));
      }
      const bool last = id == ~std::uint32_t{0};
      more = has_id && !last ? cursor->seek(Key32(id + 1).bytes()) : cursor->next();
    }
    if (!more) return more.status();
  }
  return failures;
}

}  // namespace vicinal::persist
