#include "graph/search_layer.h"

#include <algorithm>
#include <array>
#include <bit>

#include "graph/absent_node.h"

namespace vicinal::graph {
namespace {

// How many candidates a step expands together: their rows are fetched and their newcomers merged
// at once. Where the beam is narrow, the second nearest is often not worth expanding once the
// nearest was.
std::size_t step_width(std::size_t ef) { return std::clamp<std::size_t>(ef / 10, 1, kMaxStep); }

// Calls each(node) for the next `count` at most that steps would take.
template <typename Each>
void peek(const Scratch& scratch, std::size_t count, const Each& each) {
  scratch.pool.peek(count, each);
  // Where many do not count the next ones are as likely there.
  if (scratch.others.size() > 0) scratch.others.peek((count + 1) / 2, each);
}

}  // namespace

bool WalkStep::take(Scratch& scratch, std::size_t ef) {
  CandidatePool& pool = scratch.pool;
  CandidatePool& others = scratch.others;
  const std::size_t width = step_width(ef);
  const bool some_others = others.size() > 0;
  for (count_ = 0; count_ < width; ++count_) {
    bool from_others = false;
    if (some_others) {
      const std::uint64_t other = others.next_entry();
      from_others = other < pool.next_entry() && other < pool.bound();
    }
    nodes_[count_] = (from_others ? others : pool).take_next();
    if (nodes_[count_] == kNoNode) break;
  }
  return count_ > 0;
}

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
    if (scratch.absent != kNoNode && level == 0) [[unlikely]] {
      n = append_stand_in(score.graph(), t, node, *block, ids, n, scratch);
    }
    for (std::size_t i = before; i < std::min(n, ahead); ++i) score.prefetch(NodeId{ids[i]});
  }
  if (level == 0) {
    peek(scratch, nodes.size(), [&](NodeId next) { t.prefetch_block(next); });
  }
  score(ids, n, scratch.distances.data(),
        n <= ahead ? kernels::Rows::kCached : kernels::Rows::kScattered);
  scratch.distances_computed += n;
  return n;
}

void refine(const Scorer& walk, const Scorer& codes, Scratch& scratch) {
  if (!walk.over_sketches()) return;
  CandidatePool& pool = scratch.pool;
  internal::Vector<std::uint64_t>& copies = scratch.copies;
  const std::size_t kept = pool.size();
  const std::size_t all = kept + copies.size();
  scratch.ids.resize(std::max(all, kMaxStep * kMaxLinks));
  scratch.distances.resize(std::max(all, kMaxStep * kMaxLinks));
  for (std::size_t i = 0; i < kept; ++i) scratch.ids[i] = raw(pool[i].node);
  for (std::size_t i = kept; i < all; ++i) {
    scratch.ids[i] = raw(CandidatePool::node_of(copies[i - kept]));
  }
  codes(scratch.ids.data(), all, scratch.distances.data());
  scratch.distances_computed += all;
  pool.replace_distances(scratch.distances.data());
  for (std::size_t i = kept; i < all; ++i) {
    copies[i - kept] = kernels::pool_entry(scratch.ids[i], scratch.distances[i]);
  }
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
    scratch.others.reset(0);
    for (const Neighbor& n : nearest) {
      scratch.visited.insert(raw(n.node));
      scratch.pool.insert(n.distance, n.node);
    }
    for (NodeId next = scratch.pool.take_next(); next != kNoNode; next = scratch.pool.take_next()) {
      const std::size_t n = expand(t, score, std::span(&next, 1), level, scratch);
      scratch.pool.offer(g.kernels, scratch.ids.data(), scratch.distances.data(), n,
                         [&](std::uint64_t* entries, std::size_t count) {
                           scratch.pool.merge_distinct(entries, count, OneOfCopies{g, t, level},
                                                       [](std::uint64_t /*entry*/) {});
                         });
    }
    nearest = Starts(scratch.pool);
  }
  return nearest;
}

}  // namespace vicinal::graph
