#include "persist/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "persist/apply_entry.h"
#include "persist/codec.h"
#include "persist/failpoints.h"
#include "persist/fixed_records.h"
#include "persist/freed_nodes.h"
#include "persist/journal.h"
#include "persist/link_writer.h"
#include "persist/node_blocks.h"
#include "persist/scattered_rows.h"

namespace vicinal::persist {
namespace {

constexpr std::uint64_t kTypicalLinkBytes = 192;  // of a node

class Checkpoint {
 public:
  Checkpoint(StoredIndex& index, CheckpointSource& source, const ProgressCallback& progress)
      : index_(index),
        source_(source),
        progress_(progress),
        step_bytes_(index.environment.map_size().step_bytes()) {}

  Result<CheckpointReport> run() {
    index_.environment.clear_stale_readers();
    const Sequence cut = index_.ledger.cut();
    std::vector<graph::NodeId> changed = source_.take_changed_nodes();
    Status status;
    try {
      status = all(cut, changed);
    } catch (...) {
      source_.give_back_changed_nodes(changed);
      throw;
    }
    if (status.ok()) return report_;
    source_.give_back_changed_nodes(changed);
    return status;
  }

 private:
  /// Entries read in one step; rows that lay scattered are gone from them.
  struct Step {
    std::vector<std::pair<Sequence, JournalEntry>> entries;
    bool done = false;
  };

  /// The row goes to its chunk with its entry. That of a doomed node does not go at all: a batch
  /// may have written the row of the slot's next node there already.
  bool moves_row(Sequence sequence, const JournalEntry& entry) const {
    return !entry.row.empty() && !freed_.doomed(entry.node, sequence);
  }

  Status all(Sequence cut, const std::vector<graph::NodeId>& changed) {
    std::vector<graph::NodeId> nodes = changed;
    VICINAL_RETURN_IF_ERROR(survey(cut, &nodes));
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    const graph::EntryPoint entry_point = source_.entry_point();
    const bool empty = total_entries_ == 0 && !marked_;
    if (nodes.empty() && empty && entry_point == state_.entry_point) return {};
    // Links that need all the room would leave none to move the journal.
    const std::uint64_t needed = 2 * kTypicalLinkBytes * nodes.size();
    const std::uint64_t left =
        index_.environment.map_size().room_left(index_.environment.file_bytes());
    const bool no_room = left < needed && left + free_bytes_ < needed;
    // But none of before may stay: it would be met as that of a slot's next node, or lead to one.
    VICINAL_RETURN_IF_ERROR(write_links(nodes, no_room ? nullptr : &source_));
    // By a checkpoint before this one: the mark stays until settled(). Or lists are missing.
    if ((marked_ || no_room) && mark_ == 0) {
      if (Status s = marked([](Transaction&) { return Status(); }); !s.ok()) return s;
    }
    VICINAL_RETURN_IF_ERROR(failpoints::reach("checkpoint.after_links"));
    VICINAL_RETURN_IF_ERROR(store_scattered_rows());
    VICINAL_RETURN_IF_ERROR(move_journal(cut));
    if (no_room) {  // there is more of it now
      VICINAL_RETURN_IF_ERROR(write_links(nodes, &source_));
    }
    const bool unmark = mark_ != 0 && source_.settled();
    return index_.environment.write([&](Transaction& transaction) -> Status {
      if (unmark) {
        CountedRange journal(transaction, index_.databases.journal);
        Status s = journal.remove(Key64(mark_).bytes());
        if (s.ok()) s = journal.flush();
        if (!s.ok()) return s;
      }
      StateRecord state;
      VICINAL_RETURN_IF_ERROR(read_state(transaction, &state));
      state.entry_point = entry_point;
      ++state.checkpoints;
      return write_record(transaction, index_.databases.meta, state_id(index_.index), state);
    });
  }

  Status read_state(Transaction& transaction, StateRecord* state) {
    return read_record(transaction, index_.databases.meta, state_id(index_.index), state);
  }

  /// Counts the entries up to `cut`, adds the nodes that they free, and learns who is doomed and
  /// whose rows lie scattered.
  Status survey(Sequence cut, std::vector<graph::NodeId>* freed) {
    Result<ReadTransaction> transaction = index_.environment.read();
    if (!transaction) return transaction.status();
    if (Status s = read_state(**transaction, &state_); !s.ok()) return s;
    scattered_.emplace(index_.layout, state_.node_limit);
    JournalEntry entry;
    Status status =
        walk_journal(**transaction, index_.databases.journal,
                     [&](Sequence sequence, Bytes payload, const Status& damage) -> Status {
                       if (sequence > cut) return Status::cancelled("");  // ends the walk
                       if (!damage.ok()) return damage;
                       freed_.see(sequence, {});
                       OperationKind kind{};
                       if (Status s = decode_kind(payload, &kind); !s.ok()) return s;
                       ++total_entries_;
                       if (kind != OperationKind::kUpsert && kind != OperationKind::kFree)
                         return {};
                       if (Status s = decode_entry(sequence, payload, &entry); !s.ok()) return s;
                       if (kind == OperationKind::kUpsert) {
                         scattered_->see(sequence, entry.node);
                         return {};
                       }
                       freed_.see(sequence, entry.nodes);
                       freed->insert(freed->end(), entry.nodes.begin(), entry.nodes.end());
                       if (!is_mark(entry)) return {};
                       marked_ = true;
                       --total_entries_;
                       return {};
                     });
    if (!status.ok() && status.code() != StatusCode::kCancelled) return status;
    scattered_->sort();
    const bool limited = index_.environment.map_size().limit(WriteKind::kAdds) != 0;
    if (limited) free_bytes_ = (*transaction)->free_bytes();
    // What lies beyond the cut dooms, too. Inside the write transactions only what came since is new.
    return survey_new(**transaction);
  }

  Status decode_entry(Sequence sequence, Bytes payload, JournalEntry* entry) const {
    const Status s = decode(payload, index_.layout.row, entry);
    return s.ok() ? s
                  : Status::corruption(fmt::format("journal entry {}: {}", sequence, s.message()));
  }

  Status tell(const char* phase, std::uint64_t done, std::uint64_t total) {
    if (progress_ && !progress_({phase, done, total})) {
      return Status::cancelled(
          fmt::format("checkpoint stopped at {} of {} ({})", done, total, phase));
    }
    return {};
  }

  // -- Links --

  /// No source: takes them out, which only shrinks records.
  Status write_links(const std::vector<graph::NodeId>& nodes, CheckpointSource* source) {
    const LinkWriter writer(index_.environment, index_.databases.links);
    for (std::size_t next = 0; next < nodes.size();) {
      if (Status s = tell("links", next, nodes.size()); !s.ok()) return s;
      Result<LinkWriter::Step> step = writer.collect(source, nodes, step_bytes_, &next);
      if (!step) return step.status();
      Status status = marked(
          [&](Transaction& transaction) -> Status { return writer.store(transaction, *step); });
      if (!status.ok()) return status;
      if (source != nullptr) report_.link_records += step->size();
      if (Status s = failpoints::reach("checkpoint.between_links"); !s.ok()) return s;
    }
    return {};
  }

  /// Runs `closure` in a write transaction; the first one puts the mark.
  Status marked(const Environment::Closure& closure) {
    const bool first = mark_ == 0;
    AllottedSequence allotted(index_.ledger);
    if (first) {
      allotted.allot();
      mark_ = allotted.get();
    }
    return index_.environment.write([&](Transaction& transaction) -> Status {
      Status s = first ? put_mark(transaction) : Status();
      return s.ok() ? closure(transaction) : s;
    });
  }

  /// The entry that says that links of several moments may stand side by side.
  Status put_mark(Transaction& transaction) const {
    Operation nothing;
    nothing.kind = OperationKind::kFree;
    RecordBuffer record = encode(nothing);
    CountedRange journal(transaction, index_.databases.journal);
    Status s = put_entry(journal, mark_, record, PutMode::kNew);
    return s.ok() ? journal.flush() : s;
  }

  // -- Journal --

  Status store_scattered_rows() {
    for (std::size_t next = 0; next < scattered_->size();) {
      if (Status s = tell("rows", next, scattered_->size()); !s.ok()) return s;
      std::size_t end = next;
      std::uint64_t rows = 0;
      Status status = index_.environment.write([&](Transaction& transaction) -> Status {
        end = next;
        rows = 0;
        if (Status s = survey_new(transaction); !s.ok()) return s;
        return scattered_->store(transaction, index_.databases, freed_, step_bytes_, &end, &rows);
      });
      if (!status.ok()) return status;
      report_.rows += rows;
      next = end;
      if (Status s = failpoints::reach("checkpoint.between_rows"); !s.ok()) return s;
    }
    return {};
  }

  /// Who is doomed by entries that came meanwhile.
  Status survey_new(Transaction& transaction) {
    return freed_.survey(transaction, index_.databases.journal, index_.layout.row);
  }

  Status move_journal(Sequence cut) {
    for (;;) {
      if (Status s = tell("journal", report_.journal_entries, total_entries_); !s.ok()) return s;
      Step step;
      Status status = index_.environment.write([&](Transaction& transaction) -> Status {
        step = {};
        return take_step(transaction, cut, &step);
      });
      if (!status.ok()) return status;
      note_moved(step);
      if (step.done) return {};
      if (Status s = failpoints::reach("checkpoint.between_steps"); !s.ok()) return s;
    }
  }

  Status take_step(Transaction& transaction, Sequence cut, Step* step) {
    if (Status s = read_step(transaction, cut, step); !s.ok()) return s;
    if (step->entries.empty()) return {};
    if (Status s = survey_new(transaction); !s.ok()) return s;
    if (Status s = apply(transaction, *step); !s.ok()) return s;
    return failpoints::reach("checkpoint.before_step_commit");
  }

  void note_moved(const Step& step) {
    for (const auto& [sequence, entry] : step.entries) {
      if (!is_mark(entry)) ++report_.journal_entries;
      if (moves_row(sequence, entry)) ++report_.rows;
    }
  }

  Status read_step(Transaction& transaction, Sequence cut, Step* step) {
    std::uint64_t bytes = 0;
    std::unordered_set<std::uint32_t> chunks;
    std::unordered_set<std::uint32_t> blocks;
    step->done = true;
    Status status =
        walk_journal(transaction, index_.databases.journal,
                     [&](Sequence sequence, Bytes payload, const Status& damage) -> Status {
                       if (sequence > cut) return Status::cancelled("");
                       if (!damage.ok()) return damage;
                       if (bytes >= step_bytes_) {
                         step->done = false;
                         return Status::cancelled("");
                       }
                       JournalEntry entry;
                       if (Status s = decode_entry(sequence, payload, &entry); !s.ok()) return s;
                       if (scattered_->contains(sequence)) entry.row = {};  // stored already
                       bytes += cost_of(entry, payload.size(), &blocks, &chunks);
                       step->entries.emplace_back(sequence, std::move(entry));
                       return {};
                     });
    return status.code() == StatusCode::kCancelled ? Status() : status;
  }

  /// About how many bytes the step writes for the entry; to read it and take it out costs as much
  /// as writing a part of it.
  std::uint64_t cost_of(const JournalEntry& entry, std::uint64_t payload_bytes,
                        std::unordered_set<std::uint32_t>* blocks,
                        std::unordered_set<std::uint32_t>* chunks) const {
    std::uint64_t bytes = 256 + payload_bytes / 8;
    const auto changes = [&](graph::NodeId node) {
      if (node == graph::kNoNode) return;
      if (blocks->insert(graph::raw(node) / kNodesPerBlock).second) bytes += 1024;
    };
    changes(entry.node);
    changes(entry.replaced);
    for (const auto* nodes : {&entry.nodes, &entry.replaced_nodes, &entry.resurrected}) {
      std::for_each(nodes->begin(), nodes->end(), changes);
    }
    if (entry.row.empty()) return bytes;
    if (chunks->insert(index_.layout.chunk_of(entry.node)).second) {
      bytes += index_.layout.chunk_bytes();
    }
    return bytes;
  }

  Status apply(Transaction& transaction, const Step& step) {
    StateRecord state;
    if (Status s = read_state(transaction, &state); !s.ok()) return s;
    NodeBlockEditor nodes(transaction, index_.databases.nodes);
    std::map<std::uint32_t, std::vector<RowToStore>> rows;
    for (const auto& [sequence, entry] : step.entries) {
      if (Status s = apply_entry(freed_, sequence, entry, &nodes, &state); !s.ok()) return s;
      if (!moves_row(sequence, entry)) continue;
      rows[index_.layout.chunk_of(entry.node)].push_back(
          {index_.layout.slot_of(entry.node), entry.row.data()});
    }
    for (const auto& [chunk, chunk_rows] : rows) {
      Status s =
          write_rows(transaction, index_.databases.vectors, index_.layout, chunk, chunk_rows);
      if (!s.ok()) return s;
    }
    if (Status s = nodes.flush(); !s.ok()) return s;
    CountedRange journal(transaction, index_.databases.journal);
    for (const auto& [sequence, entry] : step.entries) {
      if (Status s = journal.remove(Key64(sequence).bytes()); !s.ok()) return s;
      state.applied = sequence;
    }
    if (Status s = journal.flush(); !s.ok()) return s;
    return write_record(transaction, index_.databases.meta, state_id(index_.index), state);
  }

  StoredIndex& index_;
  CheckpointSource& source_;
  const ProgressCallback& progress_;
  const std::uint64_t step_bytes_;
  CheckpointReport report_;
  StateRecord state_;
  std::optional<ScatteredRows> scattered_;  ///< since survey()
  FreedNodes freed_;  ///< kept up from step to step: a long journal is not walked anew in each
  std::uint64_t total_entries_ = 0;
  std::uint64_t free_bytes_ = 0;  ///< inside the file, when survey() looked
  bool marked_ = false;           ///< the journal has a mark already, which goes with its entries
  Sequence mark_ = 0;             ///< of put_mark()'s entry
};

}  // namespace

Result<CheckpointReport> checkpoint(StoredIndex& index, CheckpointSource& source,
                                    const ProgressCallback& progress) {
  if (index.environment.read_only()) return Status::read_only("the store was opened for reading");
  return Checkpoint(index, source, progress).run();
}

}  // namespace vicinal::persist
