#include "graph/search_layer.h"

#include <algorithm>
#include <array>
#include <bit>

namespace vicinal::graph {
namespace {

// How many candidates a step expands together: their rows are fetched and their newcomers merged
// at once. Where the beam is narrow, the second nearest is often not worth expanding once the
// nearest was.
std::size_t step_width(std::size_t ef) { return std::clamp<std::size_t>(ef / 10, 1, kMaxStep); }

std::size_t take_step(CandidatePool& pool, std::size_t width, std::array<NodeId, kMaxStep>& step) {
  std::size_t taken = 0;
  while (taken < width) {
    step[taken] = pool.take_next();
    if (step[taken] == kNoNode) break;
    ++taken;
  }
  return taken;
}

}  // namespace

std::size_t expand(const Topology& t, const Scorer& score, std::span<const NodeId> nodes,
                   Level level, Scratch& scratch) {
  scratch.nodes_expanded += nodes.size();
  scratch.ids.resize(kMaxStep * kMaxLinks);
  scratch.distances.resize(kMaxStep * kMaxLinks);
  std::uint32_t* const ids = scratch.ids.data();
  std::size_t n = 0;
  if (level == 0 && nodes.size() > 1) {
    for (const NodeId node : nodes) t.prefetch_block(node);
  }
  const std::size_t ahead = score.rows_ahead();
  for (const NodeId node : nodes) {
    const BlockHeader* block = t.block(node, level);
    if (block == nullptr) continue;
    const std::size_t before = n;
    // Without a branch: whether a node was met before cannot be predicted.
    for (const NodeId neighbor : block->ids()) {
      ids[n] = raw(neighbor);
      n += scratch.visited.insert(raw(neighbor)) ? 1 : 0;
    }
    for (std::size_t i = before; i < std::min(n, ahead); ++i) score.prefetch(NodeId{ids[i]});
  }
  if (level == 0) {
    scratch.pool.peek(nodes.size(), [&](NodeId next) { t.prefetch_block(next); });
  }
  score(ids, n, scratch.distances.data(),
        n <= ahead ? kernels::Rows::kCached : kernels::Rows::kScattered);
  scratch.distances_computed += n;
  return n;
}

std::size_t descent_breadth(std::uint64_t slots) {
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::bit_width(slots >> 16)), 1,
                                 Starts::kMost);
}

Starts descend(const GraphState& g, const Topology& t, const Scorer& score, Neighbor start,
               Level from, Level to, std::size_t breadth, Scratch& scratch) {
  Starts nearest = start;
  for (Level level = from; level > to; --level) {
    scratch.visited.reset(g.next_slot.load(std::memory_order_acquire));
    scratch.pool.reset(breadth);
    for (const Neighbor& n : nearest) {
      scratch.visited.insert(raw(n.node));
      scratch.pool.insert(n.distance, n.node);
    }
    for (NodeId next = scratch.pool.take_next(); next != kNoNode; next = scratch.pool.take_next()) {
      const std::size_t n = expand(t, score, std::span(&next, 1), level, scratch);
      scratch.pool.insert_all(g.kernels, scratch.ids.data(), scratch.distances.data(), n,
                              [](NodeId) {});
    }
    nearest = Starts(scratch.pool);
  }
  return nearest;
}

void search_layer(const GraphState& g, const Topology& t, const Scorer& score, const Starts& starts,
                  std::size_t ef, Level level, NodeId exclude, Scratch& scratch) {
  scratch.visited.reset(g.next_slot.load(std::memory_order_acquire));
  scratch.pool.reset(ef);
  if (exclude != kNoNode) scratch.visited.insert(raw(exclude));
  for (const Neighbor& start : starts) {
    if (scratch.visited.insert(raw(start.node))) scratch.pool.insert(start.distance, start.node);
  }
  const std::size_t width = step_width(ef);
  std::array<NodeId, kMaxStep> step;
  while (const std::size_t taken = take_step(scratch.pool, width, step)) {
    const std::size_t n = expand(t, score, std::span(step).first(taken), level, scratch);
    scratch.pool.insert_all(g.kernels, scratch.ids.data(), scratch.distances.data(), n,
                            [&](NodeId node) {
                              if (level == 0) t.prefetch_handle(node);
                            });
  }
}

}  // namespace vicinal::graph
