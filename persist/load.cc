// load(): state, node records with their rows chunk by chunk, links, then the journal.
//
// The loading thread finds the records; verifying a chunk and handing its rows over is done by all
// threads that LoadOptions::parallel has, over hundreds of chunks at a time. Without rows
// (LoadOptions::rows) the chunks stay where they are.
//
// Salvage sets damaged records aside for good: after a salvaging load of a writable store they are
// deleted, their nodes are free, and the store is sound again (mend()). Damaged links are deleted
// after any load: their nodes are linked anew.
//
// A node that a journal entry frees later (doomed, R1) is never delivered: its row may already be
// that of the slot's next node. An upsert of such a node is delivered as the erasure of what it
// replaced, so a visitor sees a history in which doomed nodes never lived.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <set>

#include "engine/allocator.h"
#include "persist/chunk_room.h"
#include "persist/index_records.h"
#include "persist/journal.h"
#include "persist/link_loader.h"
#include "persist/node_blocks.h"
#include "persist/row_readers.h"

namespace vicinal::persist {
namespace {

constexpr std::size_t kMaxMessages = 100;
constexpr std::uint64_t kProgressStep = 4096;
constexpr std::size_t kRowsAtOnce = 32768;   // verified and placed together by all threads
constexpr std::uint64_t kNodesPerRun = 512;  // without rows, at least

/// Sizes of vectors chunks, asked for in ascending order; the chunks themselves are not touched.
class ChunkSizes {
 public:
  explicit ChunkSizes(Cursor& cursor) : cursor_(cursor) {}

  /// Bytes; 0 when there is no such chunk.
  Result<std::uint64_t> of(std::uint32_t chunk) {
    while (more_ && number_ < std::int64_t{chunk}) {
      const Result<bool> moved = started_ ? cursor_.next() : cursor_.first();
      if (!moved) return moved.status();
      started_ = true;
      more_ = *moved;
      std::uint32_t number = 0;
      if (more_ && parse_key(cursor_.key(), &number)) number_ = number;
    }
    return std::uint64_t{more_ && number_ == chunk ? cursor_.value().size() : 0};
  }

 private:
  Cursor& cursor_;
  bool started_ = false;
  bool more_ = true;
  std::int64_t number_ = -1;  ///< of the chunk where the cursor stands
};

}  // namespace

class Loader {
 public:
  Loader(StoredIndex& index, Transaction& transaction, LoadVisitor& visitor,
         const LoadOptions& options)
      : index_(index),
        layout_(index.layout_),
        transaction_(transaction),
        visitor_(visitor),
        options_(options),
        reader_(*index.environment_) {}

  Result<LoadReport> run() {
    if (Status s = survey(); !s.ok()) return s;
    if (Status s = visitor_.begin(node_limit_, state_.entry_point); !s.ok()) return s;
    if (Status s = load_nodes(); !s.ok()) return s;
    if (Status s = load_links(); !s.ok()) return s;
    if (Status s = replay(); !s.ok()) return s;
    return std::move(report_);
  }

  /// Deletes what was set aside.
  Status mend(Transaction& transaction) const {
    const IndexDatabases& databases = index_.databases_;
    for (const Sequence sequence : bad_entries_) {
      const Key64 key(sequence);
      if (Status s = transaction.remove(databases.journal, key.bytes()); !s.ok()) return s;
    }
    for (const std::uint32_t block : bad_blocks_) {
      const Key32 key(block);
      if (Status s = transaction.remove(databases.nodes, key.bytes()); !s.ok()) return s;
    }
    const std::array wrong_keys = {std::pair(databases.nodes, &bad_node_keys_),
                                   std::pair(databases.vectors, &bad_chunk_keys_),
                                   std::pair(databases.links, &bad_link_keys_)};
    for (const auto& [database, keys] : wrong_keys) {
      for (const auto& key : *keys) {
        if (Status s = transaction.remove(database, key); !s.ok()) return s;
      }
    }
    for (const std::uint32_t chunk : bad_chunks_) {
      const Key32 key(chunk);
      if (Status s = transaction.remove(databases.vectors, key.bytes()); !s.ok()) return s;
    }
    NodeBlockEditor nodes(transaction, databases.nodes, index_.index_);
    for (const graph::NodeId node : lost_nodes_) {
      if (Status s = nodes.set_state(node, graph::NodeState::kFree); !s.ok()) return s;
    }
    if (Status s = nodes.flush(); !s.ok()) return s;
    for (const auto& [sequence, entry] : mended_batches_) {
      Status s =
          put_entry(transaction, sequence,
                    encode(BatchView{entry.nodes, entry.labels, entry.levels, entry.replaced_nodes,
                                     entry.resurrected, entry.resurrected_labels}));
      if (!s.ok()) return s;
    }
    if (orphans_.empty()) return {};
    // What a lost row had replaced stays erased.
    Operation erase;
    erase.kind = OperationKind::kEraseBatch;
    erase.nodes = orphans_;
    erase.labels = orphan_labels_;
    const Sequence sequence = index_.ledger_.allot();
    index_.ledger_.finish(sequence);
    return put_entry(transaction, sequence, encode(erase));
  }

  bool needs_mending() const { return report_.salvaged != 0 || !bad_link_keys_.empty(); }

 private:
  Status put_entry(Transaction& transaction, Sequence sequence, RecordBuffer record) const {
    const Key64 key(sequence);
    seal({RecordKind::kJournal, index_.index_, key.bytes()}, &record);
    return transaction.put(index_.databases_.journal, key.bytes(), record);
  }

  void note(std::string message) {
    if (report_.messages.size() < kMaxMessages) report_.messages.push_back(std::move(message));
  }

  /// A damaged record: the load's end, or set aside.
  Status aside(const Status& damage) {
    const bool bytes_are_wrong = damage.code() == StatusCode::kCorruption;
    if (!options_.salvage || !bytes_are_wrong) return damage;
    ++report_.salvaged;
    note(damage.message());
    return {};
  }

  Status tell(const char* phase, std::uint64_t done, std::uint64_t total) {
    if (options_.progress && !options_.progress({phase, done, total})) {
      return Status::cancelled(fmt::format("loading stopped at {} of {} ({})", done, total, phase));
    }
    return {};
  }

  /// State, node limit and doomed nodes. Damaged entries are reported by replay().
  Status survey() {
    Status status =
        read_record(transaction_, index_.databases_.meta, state_id(index_.index_), &state_);
    if (!status.ok()) return status;
    node_limit_ = state_.node_limit;
    status = freed_.survey(transaction_, index_.databases_.journal, index_.index_,
                           index_.options().dimension);
    if (!status.ok()) return status;
    status = walk_journal(transaction_, index_.databases_.journal, index_.index_,
                          [&](Sequence, Bytes payload, const Status& damage) -> Status {
                            ++journal_entries_;
                            JournalEntry entry;
                            if (!damage.ok() || !decode(payload, layout_.dimension, &entry).ok()) {
                              return {};
                            }
                            if (entry.kind == OperationKind::kUpsert) raise_limit(entry.node);
                            for (const graph::NodeId node : entry.nodes) raise_limit(node);
                            return {};
                          });
    if (!status.ok()) return status;
    const Result<DatabaseStats> stats = transaction_.stats(index_.databases_.journal);
    if (!stats || stats->entries == journal_entries_) return stats.status();
    return aside(
        Status::corruption(fmt::format("the journal of index '{}' has {} entries, {} are found",
                                       index_.name_, stats->entries, journal_entries_)));
  }

  void raise_limit(graph::NodeId node) {
    node_limit_ = std::max<std::uint64_t>(node_limit_, graph::raw(node) + 1ull);
  }

  // -- Nodes and rows --

  /// A chunk with nodes to deliver, or without rows several.
  struct Run {
    std::uint32_t chunk = 0;  ///< the first
    std::size_t begin = 0;    ///< of its nodes in run_nodes_
    std::size_t count = 0;
    Result<Bytes> value = Bytes();  ///< the chunk's record
    Status damage;                  ///< the rows cannot be had
    Status refused;                 ///< the visitor's answer
  };

  std::uint64_t chunks_below(std::uint64_t node_limit) const {
    return (node_limit + layout_.rows_per_chunk - 1) / layout_.rows_per_chunk;
  }

  Status load_nodes() {
    delivered_.assign(node_limit_, false);
    const std::uint64_t chunks = chunks_below(state_.node_limit);
    NodeBlockReader nodes(transaction_, index_.databases_.nodes, index_.index_);
    const std::uint64_t step = std::max<std::uint64_t>(kProgressStep / layout_.rows_per_chunk, 1);
    // Without rows nothing is done chunk by chunk.
    const std::uint64_t at_once =
        options_.rows ? 1 : std::max<std::uint64_t>(kNodesPerRun / layout_.rows_per_chunk, 1);
    Result<Cursor> cursor = Cursor::open(transaction_, index_.databases_.vectors);
    if (!cursor) return cursor.status();
    ChunkSizes sizes(*cursor);
    if (!options_.rows) index_.verified_chunks_.expect(chunks);
    for (std::uint64_t chunk = 0; chunk < chunks; chunk += at_once) {
      if (chunk % step == 0) {
        const std::uint64_t done = chunk * layout_.rows_per_chunk;
        if (Status s = tell("vectors", done, state_.node_limit); !s.ok()) return s;
      }
      Status s = add_run(static_cast<std::uint32_t>(chunk), at_once, nodes, sizes);
      if (!s.ok()) return s;
      if (run_nodes_.size() < kRowsAtOnce) continue;
      if (s = deliver_runs(); !s.ok()) return s;
    }
    if (Status s = deliver_runs(); !s.ok()) return s;
    return find_strays(nodes.blocks());
  }

  /// Collects the run of `chunks` chunks, if there are nodes in it.
  Status add_run(std::uint32_t chunk, std::uint64_t chunks, NodeBlockReader& nodes,
                 ChunkSizes& sizes) {
    Run run;
    run.chunk = chunk;
    run.begin = run_nodes_.size();
    if (Status s = collect(chunk, chunks, &nodes, &run_nodes_); !s.ok()) return s;
    run.count = run_nodes_.size() - run.begin;
    if (run.count == 0) return {};
    if (options_.rows) {
      run.value = find_chunk(chunk);
      if (run.value && !reader_.knows()) reader_.learn(*run.value);
    } else {
      Status s = expect_chunks(std::span(run_nodes_).subspan(run.begin), sizes);
      if (!s.ok()) return s;
    }
    runs_.push_back(std::move(run));
    return {};
  }

  /// Whether there are more node blocks than were met by their numbers: one whose key is damaged is
  /// missing where its nodes were.
  Status find_strays(std::uint64_t met) {
    if (options_.salvage) {  // chunks under damaged keys are missing above, and go with the nodes
      Status s =
          keys_beyond(index_.databases_.vectors, chunks_below(node_limit_), &bad_chunk_keys_);
      if (!s.ok()) return s;
    }
    const DatabaseHandle nodes = index_.databases_.nodes;
    const Result<DatabaseStats> stats = transaction_.stats(nodes);
    if (!stats) return stats.status();
    if (stats->entries == met) return {};
    const std::uint64_t limit = (state_.node_limit + kNodesPerBlock - 1) / kNodesPerBlock;
    if (Status s = keys_beyond(nodes, limit, &bad_node_keys_); !s.ok()) return s;
    return aside(Status::corruption(
        fmt::format("index '{}' has {} node blocks, {} of them below block {}: the labels of the "
                    "others are lost",
                    index_.name_, stats->entries, met, limit)));
  }

  /// Verifies and places the collected runs, as many at once as there are threads.
  Status deliver_runs() {
    options_.for_all(runs_.size(), [this](std::size_t i) {
      Run& run = runs_[i];
      const std::span<LoadedNode> nodes = std::span(run_nodes_).subspan(run.begin, run.count);
      ChunkRoom room;
      if (options_.rows) run.damage = add_rows(run, nodes, &room);
      if (run.damage.ok()) run.refused = visitor_.place(nodes);
    });
    for (const Run& run : runs_) {
      const std::span<const LoadedNode> nodes = std::span(run_nodes_).subspan(run.begin, run.count);
      if (!run.damage.ok()) {
        if (Status s = aside(run.damage); !s.ok()) return s;
        bad_chunks_.insert(run.chunk);
        for (const LoadedNode& node : nodes) lost_nodes_.push_back(node.node);
        continue;
      }
      if (!run.refused.ok()) return run.refused;
      for (const LoadedNode& node : nodes) delivered_[graph::raw(node.node)] = true;
      report_.nodes += run.count;
    }
    runs_.clear();
    run_nodes_.clear();
    return {};
  }

  /// The keys of `database` that are no numbers below `limit`.
  Status keys_beyond(DatabaseHandle database, std::uint64_t limit,
                     std::vector<std::vector<std::byte>>* keys) {
    Result<Cursor> cursor = Cursor::open(transaction_, database);
    if (!cursor) return cursor.status();
    Result<bool> more = cursor->first();
    for (; more.ok() && *more; more = cursor->next()) {
      std::uint32_t number = 0;
      if (parse_key(cursor->key(), &number) && number < limit) continue;
      keys->emplace_back(cursor->key().begin(), cursor->key().end());
    }
    return more.status();
  }

  /// The nodes of `chunks` chunks that live on, without rows.
  Status collect(std::uint32_t chunk, std::uint64_t chunks, NodeBlockReader* nodes,
                 std::vector<LoadedNode>* run) {
    const std::uint64_t begin = std::uint64_t{chunk} * layout_.rows_per_chunk;
    const std::uint64_t end = std::min(begin + chunks * layout_.rows_per_chunk, state_.node_limit);
    for (std::uint64_t id = begin; id < end; ++id) {
      const auto node = static_cast<graph::NodeId>(id);
      Result<StoredNode> stored = nodes->at(node);
      if (!stored) {
        const std::uint32_t block = graph::raw(node) / kNodesPerBlock;
        if (bad_blocks_.empty() || bad_blocks_.back() != block) {  // a block may span chunks
          if (Status s = aside(stored.status()); !s.ok()) return s;
          bad_blocks_.push_back(block);
        }
        id |= kNodesPerBlock - 1;  // on to the next block
        continue;
      }
      if (stored->state == graph::NodeState::kFree || freed_.doomed(node, 0)) continue;
      run->push_back({node, stored->label, stored->level, stored->state, nullptr});
    }
    return {};
  }

  /// Without rows: the chunks of `nodes` are there and long enough. What they hold is left to
  /// whoever reads them first.
  Status expect_chunks(std::span<const LoadedNode> nodes, ChunkSizes& sizes) const {
    while (!nodes.empty()) {
      const std::uint32_t chunk = layout_.chunk_of(nodes.front().node);
      const auto end = std::find_if(nodes.begin(), nodes.end(), [&](const LoadedNode& n) {
        return layout_.chunk_of(n.node) != chunk;
      });
      const auto own = nodes.first(static_cast<std::size_t>(end - nodes.begin()));
      const Result<std::uint64_t> bytes = sizes.of(chunk);
      if (!bytes) return bytes.status();
      const std::uint64_t rows = std::uint64_t{layout_.slot_of(own.back().node)} + 1;
      if (*bytes < kChunkHeaderBytes + rows * layout_.row_bytes()) {
        return without_vector(
            Status::corruption(fmt::format(
                "vectors chunk {} {}", chunk,
                *bytes == 0 ? "is missing"
                            : fmt::format("of {} bytes cannot hold {} rows", *bytes, rows))),
            own);
      }
      nodes = nodes.subspan(own.size());
    }
    return {};
  }

  Status without_vector(const Status& why, std::span<const LoadedNode> nodes) const {
    return Status(why.code(),
                  fmt::format("{}; labels of index '{}' from {} ({} nodes) have no vector",
                              why.message(), index_.name_, nodes.front().label, nodes.size()));
  }

  /// From any thread: touches nothing but the nodes and the room.
  Status add_rows(const Run& run, std::span<LoadedNode> nodes, ChunkRoom* room) const {
    Result<ChunkRows> rows = verified_rows(run.chunk, run.value, room);
    Status status = rows.status();
    if (rows.ok() && layout_.slot_of(nodes.back().node) >= rows->count) {
      status = Status::corruption(
          fmt::format("vectors chunk {} of index '{}' has {} rows, node {} is missing", run.chunk,
                      index_.name_, rows->count, graph::raw(nodes.back().node)));
    }
    if (!status.ok()) return without_vector(status, nodes);
    for (LoadedNode& node : nodes) {
      node.row = rows->floats + std::size_t{layout_.slot_of(node.node)} * layout_.dimension;
    }
    return {};
  }

  Result<Bytes> find_chunk(std::uint32_t chunk) {
    return persist::find_chunk(transaction_, index_.databases_.vectors, chunk);
  }

  /// copy_chunk() of a chunk that was found.
  Result<ChunkRows> verified_rows(std::uint32_t chunk, const Result<Bytes>& value,
                                  ChunkRoom* room) const {
    if (!value) return value.status();
    return copy_chunk(layout_, chunk, *value, reader_, *room);
  }

  /// As verified_rows(). Remembers the last one.
  Result<ChunkRows> open_chunk(std::uint32_t chunk) {
    if (open_number_ == chunk) return open_rows_;
    open_number_ = -1;  // the room changes
    const Result<Bytes> value = find_chunk(chunk);
    if (value && !reader_.knows()) reader_.learn(*value);
    Result<ChunkRows> rows = verified_rows(chunk, value, &open_room_);
    if (!rows) return rows.status();
    open_number_ = chunk;
    open_rows_ = *rows;
    return *rows;
  }

  // -- Links --

  Status load_links() {
    LinkLoader loader(transaction_, index_.databases_.links, index_.index_, delivered_, visitor_,
                      options_);
    return loader.run([&](std::uint64_t done) { return tell("links", done, node_limit_); },
                      [&](std::string message, std::vector<std::byte> key) {
                        ++report_.damaged_links;
                        bad_link_keys_.push_back(std::move(key));
                        note(std::move(message));
                      });
  }

  // -- Journal --

  Status replay() {
    return walk_journal(
        transaction_, index_.databases_.journal, index_.index_,
        [&](Sequence sequence, Bytes payload, const Status& damage) -> Status {
          JournalEntry entry;
          Status status = damage;
          if (status.ok()) status = decode(payload, layout_.dimension, &entry);
          if (!status.ok()) {
            bad_entries_.push_back(sequence);
            return aside(
                Status(status.code(), fmt::format("journal entry {} of index '{}': {}", sequence,
                                                  index_.name_, status.message())));
          }
          if (Status s = tell("journal", report_.journal_entries, journal_entries_); !s.ok())
            return s;
          ++report_.journal_entries;
          return replay_entry(sequence, entry);
        });
  }

  Status replay_entry(Sequence sequence, const JournalEntry& e) {
    switch (e.kind) {
      case OperationKind::kUpsert:
        aligned_row_.assign(e.row.begin(), e.row.end());
        return replay_upsert(sequence, e.label, e.node, e.replaced, e.level, aligned_row_.data());
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
      const float* row = nullptr;
      if (!freed_.doomed(e.nodes[i], sequence)) {
        Result<const float*> found = batch_row(e.labels[i], e.nodes[i]);
        if (!found) {
          if (Status s = aside(found.status()); !s.ok()) return s;
          if (Status s = replay_replaced(sequence, e.labels[i], e.replaced_nodes[i]); !s.ok()) {
            return s;
          }
          lost.push_back(i);
          continue;
        }
        row = *found;
      }
      Status s =
          replay_upsert(sequence, e.labels[i], e.nodes[i], e.replaced_nodes[i], e.levels[i], row);
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

  Result<const float*> batch_row(Label label, graph::NodeId node) {
    Result<ChunkRows> rows = open_chunk(layout_.chunk_of(node));
    if (rows.ok() && layout_.slot_of(node) < rows->count) {
      return rows->floats + std::size_t{layout_.slot_of(node)} * layout_.dimension;
    }
    const std::string why =
        rows.ok() ? fmt::format("vectors chunk {} has {} rows", layout_.chunk_of(node), rows->count)
                  : rows.status().message();
    const StatusCode code = rows.ok() ? StatusCode::kCorruption : rows.status().code();
    return Status(code, fmt::format("{}; label {} (node {}) of index '{}' has no vector", why,
                                    label, graph::raw(node), index_.name_));
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
        bad_chunks_.insert(layout_.chunk_of(e.nodes[i]));
        if (known(sequence, e.replaced_nodes[i])) {
          orphans_.push_back(e.replaced_nodes[i]);
          orphan_labels_.push_back(e.labels[i]);
        }
        continue;
      }
      kept.nodes.push_back(e.nodes[i]);
      kept.labels.push_back(e.labels[i]);
      kept.levels.push_back(e.levels[i]);
      kept.replaced_nodes.push_back(e.replaced_nodes[i]);
    }
    mended_batches_.emplace_back(sequence, std::move(kept));
  }

  Status replay_upsert(Sequence sequence, Label label, graph::NodeId node, graph::NodeId replaced,
                       graph::Level level, const float* row) {
    if (freed_.doomed(node, sequence)) return replay_replaced(sequence, label, replaced);
    Operation op;
    op.label = label;
    op.node = node;
    op.level = level;
    op.row = {row, layout_.dimension};
    if (replaced != graph::kNoNode && known(sequence, replaced)) op.replaced = replaced;
    delivered_[graph::raw(node)] = true;
    return visitor_.replay(sequence, op);
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
    return visitor_.replay(sequence, op);
  }

  bool known(Sequence sequence, graph::NodeId node) const {
    return graph::raw(node) < node_limit_ && delivered_[graph::raw(node)] &&
           !freed_.doomed(node, sequence);
  }

  StoredIndex& index_;
  const ChunkLayout layout_;
  Transaction& transaction_;
  LoadVisitor& visitor_;
  const LoadOptions& options_;

  LoadReport report_;
  StateRecord state_;
  FreedNodes freed_;
  std::uint64_t node_limit_ = 0;
  std::uint64_t journal_entries_ = 0;
  std::vector<bool> delivered_;
  std::vector<Run> runs_;
  std::vector<LoadedNode> run_nodes_;
  std::int64_t open_number_ = -1;
  ChunkRows open_rows_;
  ChunkRoom open_room_;
  ValueReader reader_;
  // What salvage set aside and damaged links, for mend().
  std::vector<Sequence> bad_entries_;
  std::vector<std::uint32_t> bad_blocks_;
  std::vector<std::vector<std::byte>> bad_node_keys_;   ///< of blocks that no node has
  std::vector<std::vector<std::byte>> bad_chunk_keys_;  ///< likewise
  std::vector<std::vector<std::byte>> bad_link_keys_;
  std::set<std::uint32_t> bad_chunks_;
  std::vector<graph::NodeId> lost_nodes_;
  std::vector<std::pair<Sequence, JournalEntry>> mended_batches_;
  std::vector<graph::NodeId> orphans_;
  std::vector<Label> orphan_labels_;
  internal::Vector<float> aligned_row_;  // a row from the journal
};

Result<LoadReport> StoredIndex::load(LoadVisitor& visitor, const LoadOptions& options) {
  std::optional<Result<ReadTransaction>> transaction(environment_->read());
  if (!transaction->ok()) return transaction->status();
  Loader loader(*this, ***transaction, visitor, options);
  Result<LoadReport> report = loader.run();
  if (report.ok() && (**transaction)->damaged() && !environment_->read_only()) {
    return Status::corruption(fmt::format(
        "index '{}': pages of LMDB's own are damaged, and writing to the file could destroy more "
        "({}): open it read-only, with salvage if need be, and copy what is left to a new store",
        name_, fmt::join(report->messages, "; ")));
  }
  transaction.reset();  // mending may grow the map
  if (!report.ok() || environment_->read_only() || !loader.needs_mending()) return report;
  Status status =
      environment_->write([&](Transaction& writing) -> Status { return loader.mend(writing); });
  if (!status.ok()) return status;
  return report;
}

}  // namespace vicinal::persist
