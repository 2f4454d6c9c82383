#include "graph/copies.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "graph/cycle_guard.h"
#include "graph/scorer.h"

namespace vicinal::graph {
namespace {

/// What a walk sees of a node.
struct WalkedValue {
  const std::byte* row;
  std::size_t bytes;
  std::uint64_t meta;  ///< of a row that is its code; else among the bytes
};

WalkedValue walked_value(const GraphState& g, NodeId node) {
  const std::byte* const row = g.walked().row(raw(node));
  if (g.own_codes) return {row, g.codes.stride(), 0};
  if (!g.use_codes) return {row, g.config.row_shape().bytes(), 0};
  std::uint64_t meta = 0;
  static_assert(sizeof meta == sizeof(kernels::CodeMeta));
  std::memcpy(&meta, row + g.walked().stride() - sizeof meta, sizeof meta);
  return {row, g.config.dimension, meta};  // under cosine a walk does not see the row's scale
}

class Gathering {
 public:
  Gathering(const GraphState& g, RowSource* rows, std::size_t most,
            const std::function<bool(NodeId)>& counts, Scratch& scratch)
      : g_(g), t_(*scratch.topology), rows_(rows), most_(most), counts_(counts), scratch_(scratch) {
    const std::uint64_t slots = g.next_slot.load(std::memory_order_acquire);
    passable_ = std::max<std::uint64_t>(slots / 16, 1024);
    scratch.visited.reset(slots);
    std::sort(scratch.copies.begin(), scratch.copies.end());
  }

  bool full() const { return scratch_.ids.size() >= (mixed_ ? std::max(most_, kMixed) : most_); }
  bool gave_up() const { return passed_ > passable_; }

  void add(NodeId node) {
    if (scratch_.visited.insert(raw(node))) scratch_.ids.push_back(raw(node));
  }

  /// What is the same as `node`, which stands in the pool as `entry`.
  void add_copies(NodeId node, std::uint64_t entry) {
    const std::uint64_t nearest = CandidatePool::nearest_as_far(entry);
    auto met = std::lower_bound(scratch_.copies.begin(), scratch_.copies.end(), nearest);
    if (met == scratch_.copies.end() || !CandidatePool::as_far(*met, entry)) return;
    first_row_.clear();
    self_ = Scorer::for_node(g_, node, Scorer::Side::kSecond, scratch_)(node);
    scratch_.nodes.assign(1, node);
    for (; met != scratch_.copies.end() && CandidatePool::as_far(*met, entry); ++met) {
      visit(node, CandidatePool::node_of(*met));
    }
    while (!scratch_.nodes.empty() && !full() && !gave_up()) {
      const BlockHeader* block = t_.block(scratch_.nodes.back(), 0);
      scratch_.nodes.pop_back();
      if (block == nullptr) continue;
      ++scratch_.nodes_expanded;
      const std::span<const NodeId> ids = block->ids();
      const std::span<const float> distances = block->distances();
      for (std::size_t i = 0; i < ids.size() && !full(); ++i) {
        if (distances.empty() || distances[i] == self_) visit(node, ids[i]);
      }
    }
  }

 private:
  // Where a value, to the walk, is several, all of them are wanted.
  static constexpr std::size_t kMixed = 4096;

  bool differ(NodeId node, NodeId other) {
    if (!g_.use_codes) return false;
    const std::size_t bytes = g_.config.row_shape().bytes();
    if (g_.config.keep_vectors) {
      return std::memcmp(g_.vector_row(node), g_.vector_row(other), bytes) != 0;
    }
    if (mixed_ || rows_ == nullptr) return false;
    if (first_row_.empty()) {
      const std::byte* const row = rows_->row(node);
      if (row != nullptr) first_row_.assign(row, row + bytes);
    }
    const std::byte* const row = rows_->row(other);
    const bool known = row != nullptr && !first_row_.empty();  // neither was freed meanwhile
    const bool different = known && std::memcmp(first_row_.data(), row, bytes) != 0;
    rows_->release();  // the filter, which is asked next, may call the store
    return different;
  }

  void visit(NodeId node, NodeId other) {
    if (full() || !same_value(g_, node, other)) return;
    if (!scratch_.visited.insert(raw(other))) return;
    mixed_ = mixed_ || differ(node, other);
    scratch_.nodes.push_back(other);
    if (counts_(other)) {
      scratch_.ids.push_back(raw(other));
    } else {
      ++passed_;
    }
  }

  const GraphState& g_;
  const Topology& t_;
  RowSource* const rows_;
  const std::size_t most_;
  const std::function<bool(NodeId)>& counts_;
  Scratch& scratch_;
  internal::Vector<std::byte> first_row_;  ///< of a value that is gathered, from rows_
  float self_ = 0;      ///< how far the value is from itself, by metric and rounding
  bool mixed_ = false;  ///< rows of one value differ
  std::uint64_t passed_ = 0;
  std::uint64_t passable_ = 0;
};

}  // namespace

bool same_value(const GraphState& g, NodeId a, NodeId b) {
  const WalkedValue value_a = walked_value(g, a);
  const WalkedValue value_b = walked_value(g, b);
  return std::memcmp(value_a.row, value_b.row, value_a.bytes) == 0 && value_a.meta == value_b.meta;
}

bool hangs_from_copy(const GraphState& g, const Topology& t, NodeId node, Level level) {
  const BlockHeader* block = t.block(node, level);
  return block != nullptr && block->parent != kNoNode && same_value(g, node, block->parent);
}

NodeId first_of_copies(const GraphState& g, const Topology& t, NodeId node, Level level) {
  NodeId first = node;
  CycleGuard guard;
  while (!guard.repeats(node) && hangs_from_copy(g, t, node, level)) {
    node = t.block(node, level)->parent;
    if (g.state(node) != NodeState::kCondemned) first = node;
  }
  return first;
}

std::uint64_t value_hash(const GraphState& g, NodeId node) {
  const WalkedValue value = walked_value(g, node);
  return XXH3_64bits_withSeed(value.row, value.bytes, value.meta);
}

bool gather_copies(const GraphState& g, RowSource* rows, std::size_t most, float farthest,
                   const std::function<bool(NodeId)>& counts, Scratch& scratch) {
  const CandidatePool& pool = scratch.pool;
  scratch.ids.clear();
  if (scratch.copies.empty()) {  // as a rule
    const std::size_t n = std::min(most, pool.size());
    for (std::size_t i = 0; i < n; ++i) scratch.ids.push_back(raw(pool[i].node));
    return true;
  }
  Gathering gathering(g, rows, most, counts, scratch);
  for (std::size_t i = 0; i < pool.size() && !gathering.full(); ++i) {
    const Neighbor n = pool[i];
    gathering.add(n.node);
    if (n.distance <= farthest) {
      gathering.add_copies(n.node, kernels::pool_entry(raw(n.node), n.distance));
    }
    if (gathering.gave_up()) return false;
  }
  return true;
}

}  // namespace vicinal::graph
