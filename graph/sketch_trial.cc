#include "graph/sketch_trial.h"

#include <algorithm>
#include <new>

#include "graph/graph_state.h"
#include "graph/scorer.h"
#include "graph/search_layer.h"

namespace vicinal::graph {
namespace {

// The nearest of `node` by codes, of a walk of `ef` by `walk`; fills `nearest` and returns how many.
template <std::size_t kSize>
std::size_t seek(const GraphState& g, const Topology& t, NodeId node, const Scorer& codes,
                 const Scorer& walk, std::size_t ef, Scratch& scratch,
                 std::array<NodeId, kSize>& nearest) {
  const EntryPoint entry = t.entry_point();
  if (entry.node == kNoNode) return 0;
  const Starts starts =
      descend(g, t, walk, {walk(entry.node), entry.node}, entry.level, 0, 1, scratch);
  search_layer(g, t, walk, starts, ef, 0, node, scratch);
  refine(walk, codes, scratch);
  const std::size_t n = std::min(scratch.pool.size(), kSize);
  for (std::size_t i = 0; i < n; ++i) nearest[i] = scratch.pool[i].node;
  return n;
}

SketchTrial::Outcome outcome_of(const GraphState& g, const Topology& t, NodeId node,
                                Scratch& scratch) {
  constexpr std::size_t kWide = 4 * SketchTrial::kWidths.back();
  using Nearest = std::array<NodeId, SketchTrial::kNearest>;
  const Scorer codes = Scorer::for_node(g, node, Scorer::Side::kMain, scratch);
  const Scorer sketches = codes.for_walk(scratch);
  Nearest truth;
  const std::size_t wanted = seek(g, t, node, codes, codes, kWide, scratch, truth);
  const auto found = [&](const Scorer& walk, std::size_t ef) {
    Nearest nearest;
    const std::size_t n = seek(g, t, node, codes, walk, ef, scratch, nearest);
    std::uint32_t right = 0;
    for (std::size_t i = 0; i < n; ++i) {
      right +=
          static_cast<std::uint32_t>(std::count(truth.begin(), truth.begin() + wanted, nearest[i]));
    }
    return right;
  };
  SketchTrial::Outcome outcome;
  for (std::size_t w = 0; w < SketchTrial::kWidths.size(); ++w) {
    outcome.by_codes[w] = found(codes, SketchTrial::kWidths[w]);
    outcome.by_sketches[w] = found(sketches, sketch_beam(SketchTrial::kWidths[w]));
  }
  return outcome;
}

}  // namespace

void SketchTrial::note(const Outcome& outcome, std::uint64_t slots) {
  const internal::MutexLock lock(mutex_);
  if (!due(slots)) return;  // others have ended it meanwhile
  for (std::size_t w = 0; w < kWidths.size(); ++w) {
    sums_.by_codes[w] += outcome.by_codes[w];
    sums_.by_sketches[w] += outcome.by_sketches[w];
  }
  if (++queries_ < kQueries) return;
  constexpr double kTolerated = 0.003 * kQueries * kNearest;
  bool passed = true;
  for (std::size_t w = 0; w < kWidths.size(); ++w) {
    passed = passed && sums_.by_sketches[w] + kTolerated >= sums_.by_codes[w];
  }
  passed_.store(passed, std::memory_order_relaxed);
  due_at_.store(2 * slots, std::memory_order_relaxed);
  queries_ = 0;
  sums_ = {};
}

void SketchTrial::begin_anew() {
  const internal::MutexLock lock(mutex_);
  due_at_.store(kFewest, std::memory_order_relaxed);
  queries_ = 0;
  sums_ = {};
}

void try_sketches(GraphState& g, std::span<const NodeId> nodes, unsigned threads) noexcept {
  if (!g.use_sketches || nodes.empty()) return;
  const std::uint64_t slots = g.next_slot.load(std::memory_order_relaxed);
  if (!g.sketch_trial.due(slots)) return;
  const std::size_t queries = std::min<std::size_t>(SketchTrial::kQueries, nodes.size());
  const std::size_t step = nodes.size() / queries;
  try {
    g.workers(threads).for_each(queries, 1, [&](std::size_t i) {
      const BorrowedScratch scratch(g.scratches);
      const Topology& t = *g.topology.load(std::memory_order_acquire);
      g.sketch_trial.note(outcome_of(g, t, nodes[i * step], *scratch), slots);
    });
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace vicinal::graph
