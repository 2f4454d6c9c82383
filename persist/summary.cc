#include "persist/summary.h"

#include <algorithm>
#include <utility>

#include "persist/fixed_records.h"
#include "persist/node_states.h"
#include "persist/range_tail.h"

namespace vicinal::persist {
namespace {

/// Counts nodes by a byte for each: its level and what is known of it.
class Counter final : public StateVisitor {
 public:
  void node(graph::NodeId node, const StoredNode& stored) override {
    at(node) = byte(stored.level, stored.state == graph::NodeState::kLive ? kLive : 0);
  }
  void upsert(Label, graph::NodeId node, graph::Level level, graph::NodeId replaced,
              std::span<const std::byte>) override {
    if (replaced != graph::kNoNode) erase(replaced);
    at(node) = byte(level, kLive | kJournaled);
  }
  void erase(graph::NodeId node) override { at(node) &= static_cast<std::uint8_t>(~kLive); }
  void resurrect(graph::NodeId node) override {
    if (at(node) != 0) at(node) |= kLive;
  }

  /// `node_limit`: slots that were in use once, of which the last may all be free.
  void tell(std::uint64_t node_limit, StoredStats& stats) const {
    if (node_limit > nodes_.size()) stats.free_slots = node_limit - nodes_.size();
    for (const std::uint8_t byte : nodes_) {
      if (byte == 0) {
        ++stats.free_slots;
        continue;
      }
      ++((byte & kLive) != 0 ? stats.live : stats.tombstones);
      if ((byte & kJournaled) != 0) ++stats.rows_to_link;
      const std::size_t level = (byte & kLevels) - 1u;
      if (stats.nodes_by_level.size() <= level) stats.nodes_by_level.resize(level + 1);
      ++stats.nodes_by_level[level];
    }
  }

 private:
  static constexpr std::uint8_t kLevels = 0x3F;  // level + 1; 0: nobody is known there
  static constexpr std::uint8_t kLive = 0x40;
  static constexpr std::uint8_t kJournaled = 0x80;
  static_assert(graph::kMaxLevels < kLevels);

  static std::uint8_t byte(graph::Level level, int flags) {
    return static_cast<std::uint8_t>((level + 1) | flags);
  }
  std::uint8_t& at(graph::NodeId node) {
    if (graph::raw(node) >= nodes_.size()) nodes_.resize(graph::raw(node) + std::size_t{1});
    return nodes_[graph::raw(node)];
  }

  std::vector<std::uint8_t> nodes_;
};

/// Of the records of a range; the values are not read.
Status add_sizes(Transaction& transaction, const IndexRange& range, std::uint64_t& bytes) {
  Result<IndexRange::Walk> walk = range.walk(transaction);
  if (!walk) return walk.status();
  Result<bool> more = walk->first();
  for (; more.ok() && *more; more = walk->next()) {
    bytes += walk->key().size() + walk->value().size();
  }
  return more.status();
}

}  // namespace

Result<StoredStats> summarize(const StoredIndex& index, Transaction& transaction) {
  StoredStats stats;
  stats.name = index.name;
  StateRecord state;
  Status s = read_record(transaction, index.databases.meta, state_id(index.index), &state);
  if (!s.ok()) return s;
  stats.checkpoints = state.checkpoints;
  Counter counter;
  if (s = visit_states(index, transaction, counter); !s.ok()) return s;
  counter.tell(state.node_limit, stats);
  const IndexDatabases& from = index.databases;
  const Result<TailRecord> journal = read_tail(transaction, from.journal);
  if (!journal) return journal.status();
  stats.journal_entries = journal->entries;
  stats.journal_bytes = journal->bytes;
  for (const auto& [range, bytes] :
       {std::pair(from.vectors, &stats.bytes_vectors), std::pair(from.links, &stats.bytes_links),
        std::pair(from.nodes, &stats.bytes_nodes)}) {
    if (s = add_sizes(transaction, range, *bytes); !s.ok()) return s;
  }
  stats.bytes_disk = index.environment.file_bytes();
  return stats;
}

}  // namespace vicinal::persist
