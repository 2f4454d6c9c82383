#include "persist/load.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "engine/base/allocator.h"
#include "engine/base/step_hook.h"
#include "persist/chunk_room.h"
#include "persist/codec.h"
#include "persist/fixed_records.h"
#include "persist/journal.h"
#include "persist/link_loader.h"
#include "persist/load_context.h"
#include "persist/node_loader.h"
#include "persist/range_tail.h"
#include "persist/set_aside.h"

namespace vicinal::persist {
namespace {

class Loader {
 public:
  Loader(StoredIndex& index, ReadTransaction& snapshot, LoadVisitor& visitor,
         const LoadOptions& options)
      : layout_(index.layout), context_{snapshot,          *snapshot,
                                        index.databases,   index.index,
                                        index.name,        index.layout,
                                        visitor,           options,
                                        index.environment, ValueReader(index.environment)} {}

  Result<LoadReport> run() {
    if (Status s = survey(); !s.ok()) return s;
    VICINAL_STEP_POINT("load.surveyed");
    if (Status s = context_.visitor.begin(context_.node_limit, context_.state.entry_point); !s.ok())
      return s;
    if (Status s = load_nodes(context_); !s.ok()) return s;
    VICINAL_STEP_POINT("load.placed");
    if (Status s = load_links(); !s.ok()) return s;
    VICINAL_STEP_POINT("load.linked");
    if (Status s = replay(); !s.ok()) return s;
    return std::move(context_.report);
  }

  const SetAside& set_aside() const { return context_.set_aside; }

 private:
  /// State, node limit and doomed nodes. Damaged entries are reported by replay().
  Status survey() {
    Status status = read_record(context_.transaction, context_.databases.meta,
                                state_id(context_.index), &context_.state);
    if (!status.ok()) return status;
    context_.node_limit = context_.state.node_limit;
    status = context_.freed.survey(context_.transaction, context_.databases.journal, layout_.row);
    if (!status.ok()) return status;
    status = walk_journal(context_.transaction, context_.databases.journal,
                          [&](Sequence, Bytes payload, const Status& damage) -> Status {
                            ++journal_entries_;
                            JournalEntry entry;
                            if (!damage.ok() || !decode(payload, layout_.row, &entry).ok()) {
                              return {};
                            }
                            if (entry.kind == OperationKind::kUpsert) raise_limit(entry.node);
                            for (const graph::NodeId node : entry.nodes) raise_limit(node);
                            return {};
                          });
    if (!status.ok()) return status;
    const Result<TailRecord> tail = read_tail(context_.transaction, context_.databases.journal);
    if (tail.ok() && tail->entries == journal_entries_) return {};
    context_.set_aside.miscounted = true;
    if (!tail) return context_.aside(tail.status());
    return context_.aside(
        Status::corruption(fmt::format("the journal of index '{}' has {} entries, {} are found",
                                       context_.name, tail->entries, journal_entries_)));
  }

  void raise_limit(graph::NodeId node) {
    context_.node_limit = std::max<std::uint64_t>(context_.node_limit, graph::raw(node) + 1ull);
  }

  // -- Rows of batches --

  /// As verified_rows(). Remembers the last one.
  Result<ChunkRows> open_chunk(std::uint32_t chunk) {
    if (open_number_ == chunk) return open_rows_;
    open_number_ = -1;  // the room changes
    Result<ChunkRows> rows = context_.verified_rows(chunk, context_.find_chunk(chunk), &open_room_);
    if (!rows) return rows.status();
    open_number_ = chunk;
    open_rows_ = *rows;
    return *rows;
  }

  // -- Links --

  Status load_links() {
    LinkLoader loader(context_.transaction, context_.databases.links, context_.delivered,
                      context_.visitor, context_.options);
    return loader.run(
        [&](std::uint64_t done) { return context_.tell("links", done, context_.node_limit); },
        [&](std::string message, std::vector<std::byte> key) {
          ++context_.report.damaged_links;
          context_.set_aside.link_keys.push_back(std::move(key));
          context_.note(std::move(message));
        });
  }

  // -- Journal --

  Status replay() {
    constexpr std::size_t kEntriesPerStep = 256;
    Sequence from = 0;
    for (bool more = true; more;) {
      more = false;
      Status s = context_.tell("journal", context_.report.journal_entries, journal_entries_);
      if (!s.ok()) return s;
      std::size_t visited = 0;
      s = walk_journal(
          context_.transaction, context_.databases.journal,
          [&](Sequence sequence, Bytes payload, const Status& damage) -> Status {
            if (visited >= kEntriesPerStep && sequence != 0) {
              from = sequence;
              more = true;
              return Status::cancelled("");  // ends the walk
            }
            ++visited;
            return replay(sequence, payload, damage);
          },
          from);
      if (!more && !s.ok()) return s;
    }
    return {};
  }

  Status replay(Sequence sequence, Bytes payload, const Status& damage) {
    JournalEntry entry;
    Status status = damage;
    if (status.ok()) status = decode(payload, layout_.row, &entry);
    if (!status.ok()) {
      if (sequence == 0) {
        context_.set_aside.strays = true;
      } else {
        context_.set_aside.entries.push_back(sequence);
      }
      return context_.aside(
          Status(status.code(), fmt::format("journal entry {} of index '{}': {}", sequence,
                                            context_.name, status.message())));
    }
    ++context_.report.journal_entries;
    return replay_entry(sequence, entry);
  }

  Status replay_entry(Sequence sequence, const JournalEntry& e) {
    switch (e.kind) {
      case OperationKind::kUpsert:
        aligned_row_.assign(e.row.begin(), e.row.end());
        return replay_upsert(sequence, e.label, e.node, e.replaced, e.level, aligned_row_.data(),
                             false);
      case OperationKind::kErase:
      case OperationKind::kResurrect:
        return replay_state(sequence, e.kind, e.label, e.node);
      case OperationKind::kFree:
        return {};  // what it frees was never delivered
      case OperationKind::kEraseBatch:
        for (std::size_t i = 0; i < e.nodes.size(); ++i) {
          Status s = replay_state(sequence, OperationKind::kErase, e.labels[i], e.nodes[i]);
          if (!s.ok()) return s;
        }
        return {};
      case OperationKind::kBatch:
        return replay_batch(sequence, e);
    }
    return {};
  }

  Status replay_batch(Sequence sequence, const JournalEntry& e) {
    std::vector<std::size_t> lost;
    for (std::size_t i = 0; i < e.nodes.size(); ++i) {
      const std::byte* row = nullptr;
      if (!context_.freed.doomed(e.nodes[i], sequence)) {
        Result<const std::byte*> found = batch_row(e.labels[i], e.nodes[i]);
        if (!found) {
          if (Status s = context_.aside(found.status()); !s.ok()) return s;
          if (Status s = replay_replaced(sequence, e.labels[i], e.replaced_nodes[i]); !s.ok()) {
            return s;
          }
          lost.push_back(i);
          continue;
        }
        row = *found;
      }
      Status s = replay_upsert(sequence, e.labels[i], e.nodes[i], e.replaced_nodes[i], e.levels[i],
                               row, true);
      if (!s.ok()) return s;
    }
    for (std::size_t i = 0; i < e.resurrected.size(); ++i) {
      Status s = replay_state(sequence, OperationKind::kResurrect, e.resurrected_labels[i],
                              e.resurrected[i]);
      if (!s.ok()) return s;
    }
    if (!lost.empty()) leave_out(sequence, e, lost);
    return {};
  }

  Result<const std::byte*> batch_row(Label label, graph::NodeId node) {
    Result<ChunkRows> rows = open_chunk(layout_.chunk_of(node));
    if (rows.ok() && layout_.slot_of(node) < rows->count) {
      return rows->begin + layout_.slot_of(node) * layout_.row_bytes();
    }
    const std::string why =
        rows.ok() ? fmt::format("vectors chunk {} has {} rows", layout_.chunk_of(node), rows->count)
                  : rows.status().message();
    const StatusCode code = rows.ok() ? StatusCode::kCorruption : rows.status().code();
    return Status(code, fmt::format("{}; label {} (node {}) of index '{}' has no vector", why,
                                    label, graph::raw(node), context_.name));
  }

  /// Remembers the batch without its lost rows.
  void leave_out(Sequence sequence, const JournalEntry& e, const std::vector<std::size_t>& lost) {
    JournalEntry kept;
    kept.resurrected = e.resurrected;
    kept.resurrected_labels = e.resurrected_labels;
    std::size_t next = 0;
    for (std::size_t i = 0; i < e.nodes.size(); ++i) {
      if (next < lost.size() && lost[next] == i) {
        ++next;
        // A sound one is only too short, and has rows of others.
        const std::uint32_t chunk = layout_.chunk_of(e.nodes[i]);
        if (!open_chunk(chunk).ok()) context_.set_aside.chunks.insert(chunk);
        if (known(sequence, e.replaced_nodes[i])) {
          context_.set_aside.orphans.push_back(e.replaced_nodes[i]);
          context_.set_aside.orphan_labels.push_back(e.labels[i]);
        }
        continue;
      }
      kept.nodes.push_back(e.nodes[i]);
      kept.labels.push_back(e.labels[i]);
      kept.levels.push_back(e.levels[i]);
      kept.replaced_nodes.push_back(e.replaced_nodes[i]);
    }
    context_.set_aside.batches.emplace_back(sequence, std::move(kept));
  }

  Status replay_upsert(Sequence sequence, Label label, graph::NodeId node, graph::NodeId replaced,
                       graph::Level level, const std::byte* row, bool row_in_chunk) {
    if (context_.freed.doomed(node, sequence)) return replay_replaced(sequence, label, replaced);
    Operation op;
    op.label = label;
    op.node = node;
    op.level = level;
    op.row = {row, layout_.row_bytes()};
    op.row_in_chunk = row_in_chunk;
    if (replaced != graph::kNoNode && known(sequence, replaced)) op.replaced = replaced;
    context_.delivered[graph::raw(node)] = true;
    return context_.visitor.replay(sequence, op);
  }

  /// The upsert that replaced `replaced` is not delivered: its other effect is.
  Status replay_replaced(Sequence sequence, Label label, graph::NodeId replaced) {
    if (replaced == graph::kNoNode) return {};
    return replay_state(sequence, OperationKind::kErase, label, replaced);
  }

  Status replay_state(Sequence sequence, OperationKind kind, Label label, graph::NodeId node) {
    if (!known(sequence, node)) return {};
    Operation op;
    op.kind = kind;
    op.label = label;
    op.node = node;
    return context_.visitor.replay(sequence, op);
  }

  bool known(Sequence sequence, graph::NodeId node) const {
    return graph::raw(node) < context_.node_limit && context_.delivered[graph::raw(node)] &&
           !context_.freed.doomed(node, sequence);
  }

  const ChunkLayout layout_;
  LoadContext context_;
  std::uint64_t journal_entries_ = 0;
  std::int64_t open_number_ = -1;
  ChunkRows open_rows_;
  ChunkRoom open_room_;
  internal::Vector<std::byte> aligned_row_;  // a row from the journal
};

}  // namespace

Result<LoadReport> load(StoredIndex& index, LoadVisitor& visitor, const LoadOptions& options) {
  std::optional<Result<ReadTransaction>> transaction(index.environment.read(Stay::kLong));
  if (!transaction->ok()) return transaction->status();
  VICINAL_STEP_POINT("load.moment");
  Loader loader(index, **transaction, visitor, options);
  Result<LoadReport> report = loader.run();
  if (report.ok() && (**transaction)->damaged() && !index.environment.read_only()) {
    return Status::corruption(fmt::format(
        "index '{}': pages of LMDB's own are damaged, and writing to the file could destroy more "
        "({}): open it read-only, with salvage if need be, and copy what is left to a new store",
        index.name, fmt::join(report->messages, "; ")));
  }
  transaction.reset();  // mending may grow the map
  const SetAside& set_aside = loader.set_aside();
  if (!report.ok() || index.environment.read_only() || set_aside.empty()) return report;
  Status status = index.environment.write([&](Transaction& writing) -> Status {
    return remove_for_good(set_aside, writing, index.databases, index.ledger);
  });
  if (!status.ok()) return status;
  return report;
}

}  // namespace vicinal::persist
