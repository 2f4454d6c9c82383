// The greedy descent and the layer search: the only two walks there are.
//
// Threads: any number at once, beside writers; the caller is inside an epoch (its Scratch is
// borrowed).
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "graph/copies.h"
#include "graph/graph_state.h"
#include "graph/scorer.h"
#include "graph/scratch.h"
#include "graph/topology.h"

namespace vicinal::graph {

/// Where a walk begins: a node, or the nearest few that a descent found, nearest first.
class Starts {
 public:
  static constexpr std::size_t kMost = 4;

  // NOLINTNEXTLINE(google-explicit-constructor): a node is where a walk may begin
  Starts(Neighbor only) : nodes_{only} {}
  /// The nearest of a pool that holds one at least.
  explicit Starts(const CandidatePool& pool) : count_(std::min(pool.size(), kMost)) {
    for (std::size_t i = 0; i < count_; ++i) nodes_[i] = pool[i];
  }

  const Neighbor* begin() const { return nodes_.data(); }
  const Neighbor* end() const { return nodes_.data() + count_; }
  const Neighbor& nearest() const { return nodes_[0]; }

 private:
  std::array<Neighbor, kMost> nodes_;
  std::size_t count_ = 1;
};

/// How many a search descends with, by the slots in use: one up to 131,071, one more with every
/// doubling, four from 524,288 on. The nearest of a sparse level often lies in a cluster beside the
/// right one, and a narrow beam at level 0 never finds out: of a million rows of 384 dimensions
/// (mix, three graphs), 32 queries in 3,000 found nothing right at ef 80, and 7 from four starts,
/// 121 and 30 at ef 40, for 1 to 2 us a query. Of 100,000 it was none either way.
std::size_t descent_breadth(std::uint64_t slots);

/// From `start`, goes down from level `from` to level `to` + 1; on each, expands the nearest
/// `breadth` nodes met until all of them were expanded, and goes on from those. With 1 that is the
/// paper's algorithm 2 with ef = 1. `breadth`: 1 to Starts::kMost.
Starts descend(const GraphState& g, const Topology& t, const Scorer& score, Neighbor start,
               Level from, Level to, std::size_t breadth, Scratch& scratch);

/// How far a walk may go.
struct WalkWidth {
  std::size_t ef = 0;  ///< nodes kept of those that count
  /// Nodes kept of those that do not count. The walk goes through the nearest of them.
  std::size_t others = 0;
  /// Distances computed; the step in which they run out is finished.
  std::uint64_t distances = ~std::uint64_t{0};
};

/// Why a walk ended.
enum class WalkEnd : std::uint8_t {
  kWhole,          ///< nothing nearer than the worst of `ef` that count is left
  kNarrow,         ///< WalkWidth::others left out some nodes that were nearer than that
  kOutOfDistances  ///< WalkWidth::distances
};

/// Counts for search_layer(): every node does.
struct EveryNode {
  bool every(const std::uint64_t* /*entries*/, std::size_t /*count*/) const { return true; }
  bool operator()(NodeId /*node*/) const { return true; }
  bool enough() const { return false; }
};

/// Algorithm 2, where only some nodes count: leaves the `ef` nearest that do in scratch.pool, one
/// of each value, and the copies of these that it met in scratch.copies (copies.h). The
/// walk goes through the others (scratch.others) in the same steps, nearest first of both, so that
/// where all count nothing is different. `starts` seed it; `exclude` (kNoNode: nobody), which may
/// be a node to be linked, is never met. `counts(node)` tells whether a node counts, once a node;
/// `counts.every(entries, n)` may answer for pool entries, ascending, together: false leaves them to
/// counts().
/// The walk ends when `counts.enough()`.
template <typename Counts>
WalkEnd search_layer(const GraphState& g, const Topology& t, const Scorer& score,
                     const Starts& starts, const WalkWidth& width, Level level, NodeId exclude,
                     Counts&& counts, Scratch& scratch);

/// The same where every node counts.
inline void search_layer(const GraphState& g, const Topology& t, const Scorer& score,
                         const Starts& starts, std::size_t ef, Level level, NodeId exclude,
                         Scratch& scratch) {
  search_layer(g, t, score, starts, WalkWidth{.ef = ef}, level, exclude, EveryNode{}, scratch);
}

/// Which of two nodes equally far a pool keeps: of copies (copies.h) that are not erased one, that
/// from which the others hang if it is there. Behind erased ones may be some that are not.
struct OneOfCopies {
  const GraphState& g;
  const Topology& t;
  const Level level;

  CandidatePool::Keep operator()(NodeId a, NodeId b) const {
    if (!healthy(a) || !healthy(b) || !same_value(g, a, b)) {
      return CandidatePool::Keep::kBoth;
    }
    const bool a_hangs = hangs_from_copy(g, t, a, level);
    const bool b_hangs = hangs_from_copy(g, t, b, level);
    const bool first = a_hangs != b_hangs ? b_hangs : a < b;
    return first ? CandidatePool::Keep::kFirst : CandidatePool::Keep::kSecond;
  }

 private:
  bool healthy(NodeId node) const {
    const NodeState s = g.state(node);
    return s == NodeState::kLive || s == NodeState::kPending;
  }
};

/// The most nodes of one step.
inline constexpr std::size_t kMaxStep = 4;

/// Nodes to be expanded together.
class WalkStep {
 public:
  /// Takes the nearest of both pools that were not expanded: as many as pay for a beam of `ef`. Of
  /// those that do not count, none beyond the worst of a full pool.
  bool take(Scratch& scratch, std::size_t ef);
  std::span<const NodeId> nodes() const { return std::span(nodes_).first(count_); }

 private:
  std::array<NodeId, kMaxStep> nodes_{};
  std::size_t count_ = 0;
};

/// One step: scores the unvisited neighbors of `nodes` (at most kMaxStep) at `level` into
/// scratch.ids and scratch.distances; returns how many.
std::size_t expand(const Topology& t, const Scorer& score, std::span<const NodeId> nodes,
                   Level level, Scratch& scratch);

template <typename Counts>
WalkEnd search_layer(const GraphState& g, const Topology& t, const Scorer& score,
                     const Starts& starts, const WalkWidth& width, Level level, NodeId exclude,
                     Counts&& counts, Scratch& scratch) {
  CandidatePool& pool = scratch.pool;
  CandidatePool& others = scratch.others;
  scratch.visited.reset(g.next_slot.load(std::memory_order_acquire));
  pool.reset(width.ef);
  others.reset(width.others);
  if (exclude != kNoNode) scratch.visited.insert(raw(exclude));
  for (const Neighbor& start : starts) {
    if (!scratch.visited.insert(raw(start.node))) continue;
    (counts(start.node) ? pool : others).insert(start.distance, start.node);
  }
  scratch.copies.clear();
  const auto merge = [&](std::uint64_t* entries, std::size_t n) {
    pool.merge_distinct(entries, n, OneOfCopies{g, t, level},
                        [&](std::uint64_t entry) { scratch.copies.push_back(entry); });
  };
  std::array<std::uint64_t, kernels::kMostEntries> passed;
  const auto receive = [&](std::uint64_t* entries, std::size_t n) {
    if (level == 0) {
      for (std::size_t i = 0; i < n; ++i) t.prefetch_handle(CandidatePool::node_of(entries[i]));
    }
    if (counts.every(entries, n)) {
      merge(entries, n);
      return;
    }
    std::size_t counted = 0;
    std::size_t others_met = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t entry = entries[i];
      if (counts(CandidatePool::node_of(entry))) {
        entries[counted++] = entry;
      } else {
        passed[others_met++] = entry;
      }
    }
    merge(entries, counted);
    others.merge(passed.data(), others_met);
  };
  const std::uint64_t before = scratch.distances_computed;
  WalkStep step;
  while (!counts.enough() && step.take(scratch, width.ef)) {
    const std::size_t n = expand(t, score, step.nodes(), level, scratch);
    pool.offer(g.kernels, scratch.ids.data(), scratch.distances.data(), n, receive);
    if (scratch.distances_computed - before >= width.distances) return WalkEnd::kOutOfDistances;
  }
  return others.cut() < pool.bound() ? WalkEnd::kNarrow : WalkEnd::kWhole;
}

/// After a walk over sketches: what it left in scratch.pool and scratch.copies, as far as `codes`
/// says. Nothing to do after another one.
void refine(const Scorer& walk, const Scorer& codes, Scratch& scratch);

}  // namespace vicinal::graph
