#include "graph/absent_node.h"

#include <algorithm>
#include <limits>

#include "graph/scorer.h"

namespace vicinal::graph {

std::size_t append_stand_in(const GraphState& g, const Topology& t, NodeId owner,
                            const BlockHeader& block, std::uint32_t* ids, std::size_t n,
                            Scratch& scratch) {
  const std::span<const NodeId> own = block.ids();
  const auto has = [&](NodeId node) {
    return std::find(own.begin(), own.end(), node) != own.end();
  };
  const BlockHeader* const absent = has(scratch.absent) ? t.block(scratch.absent, 0) : nullptr;
  if (absent == nullptr) return n;
  const Scorer score = Scorer::for_node(g, owner, Scorer::Side::kSecond, scratch);
  NodeId nearest = kNoNode;
  float nearest_distance = std::numeric_limits<float>::infinity();
  for (const NodeId node : absent->ids()) {
    if (node == owner || has(node)) continue;
    const float distance = score(node);
    if (distance >= nearest_distance) continue;
    nearest = node;
    nearest_distance = distance;
  }
  const auto reaches = [&](NodeId node) {
    return node != scratch.absent && score(node) >= nearest_distance;
  };
  if (nearest == kNoNode || std::none_of(own.begin(), own.end(), reaches)) return n;
  ids[n] = raw(nearest);
  return n + (scratch.visited.insert(raw(nearest)) ? 1 : 0);
}

}  // namespace vicinal::graph
