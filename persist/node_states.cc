#include "persist/node_states.h"

#include <fmt/format.h>

#include "persist/codec.h"
#include "persist/freed_nodes.h"
#include "persist/journal.h"
#include "persist/node_blocks.h"
#include "persist/range_tail.h"

namespace vicinal::persist {
namespace {

class StateWalk {
 public:
  StateWalk(const StoredIndex& index, Transaction& transaction, StateVisitor& visitor)
      : index_(index), transaction_(transaction), visitor_(visitor) {}

  Status run() {
    Status s = freed_.survey(transaction_, index_.databases.journal, index_.layout.row);
    if (s.ok()) s = walk_blocks();
    return s.ok() ? replay() : s;
  }

 private:
  /// A damaged page of LMDB's can lose records without a trace but their number.
  Status check_count(const char* what, const IndexRange& range, std::uint64_t met) {
    const Result<TailRecord> tail = read_tail(transaction_, range);
    if (!tail || tail->entries == met) return tail.status();
    return Status::corruption(
        fmt::format("index '{}' has {} {}, {} are found", index_.name, tail->entries, what, met));
  }

  Status walk_blocks() {
    Result<IndexRange::Walk> walk = index_.databases.nodes.walk(transaction_);
    if (!walk) return walk.status();
    std::uint64_t met = 0;
    Result<bool> more = walk->first();
    for (; more.ok() && *more; more = walk->next()) {
      const RecordId id{RecordKind::kNodes, index_.index, walk->key()};
      std::uint32_t number = 0;
      if (!parse_key(walk->key(), &number)) {
        return Status::corruption(describe(id) + ": wrong key");
      }
      const Result<Bytes> payload = unseal(id, walk->value());
      if (!payload) return payload.status();
      NodeBlock block;
      if (Status s = decode(*payload, &block); !s.ok()) {
        return Status::corruption(describe(id) + ": " + s.message());
      }
      visit_block(number, block);
      ++met;
    }
    return more ? check_count("node blocks", index_.databases.nodes, met) : more.status();
  }

  void visit_block(std::uint32_t number, const NodeBlock& block) {
    for (std::uint32_t slot = 0; slot < block.size(); ++slot) {
      const auto node = static_cast<graph::NodeId>(number * kNodesPerBlock + slot);
      if (block[slot].state == graph::NodeState::kFree || freed_.doomed(node, 0)) continue;
      visitor_.node(node, block[slot]);
    }
  }

  Status replay() {
    std::uint64_t met = 0;
    const Status walked =
        walk_journal(transaction_, index_.databases.journal,
                     [&](Sequence sequence, Bytes payload, const Status& damage) -> Status {
                       if (!damage.ok()) return damage;
                       JournalEntry entry;
                       Status s = decode(payload, index_.layout.row, &entry);
                       if (!s.ok()) {
                         return Status::corruption(fmt::format("journal entry {} of index '{}': {}",
                                                               sequence, index_.name, s.message()));
                       }
                       ++met;
                       replay_entry(sequence, entry);
                       return {};
                     });
    return walked.ok() ? check_count("journal entries", index_.databases.journal, met) : walked;
  }

  void replay_entry(Sequence sequence, const JournalEntry& e) {
    switch (e.kind) {
      case OperationKind::kUpsert:
        return upsert(sequence, e.label, e.node, e.level, e.replaced, e.row);
      case OperationKind::kErase:
        return erase(sequence, e.node);
      case OperationKind::kResurrect:
        return resurrect(sequence, e.node);
      case OperationKind::kFree:
        return;  // what it frees was never shown
      case OperationKind::kEraseBatch:
        for (const graph::NodeId node : e.nodes) erase(sequence, node);
        return;
      case OperationKind::kBatch:
        for (std::size_t i = 0; i < e.nodes.size(); ++i) {
          upsert(sequence, e.labels[i], e.nodes[i], e.levels[i], e.replaced_nodes[i], {});
        }
        for (const graph::NodeId node : e.resurrected) resurrect(sequence, node);
        return;
    }
  }

  void upsert(Sequence sequence, Label label, graph::NodeId node, graph::Level level,
              graph::NodeId replaced, std::span<const std::byte> row) {
    if (freed_.doomed(node, sequence)) return erase(sequence, replaced);
    const bool there = replaced != graph::kNoNode && !freed_.doomed(replaced, sequence);
    visitor_.upsert(label, node, level, there ? replaced : graph::kNoNode, row);
  }
  void erase(Sequence sequence, graph::NodeId node) {
    if (node != graph::kNoNode && !freed_.doomed(node, sequence)) visitor_.erase(node);
  }
  void resurrect(Sequence sequence, graph::NodeId node) {
    if (!freed_.doomed(node, sequence)) visitor_.resurrect(node);
  }

  const StoredIndex& index_;
  Transaction& transaction_;
  StateVisitor& visitor_;
  FreedNodes freed_;
};

}  // namespace

Status visit_states(const StoredIndex& index, Transaction& transaction, StateVisitor& visitor) {
  return StateWalk(index, transaction, visitor).run();
}

}  // namespace vicinal::persist
