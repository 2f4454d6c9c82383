#include "graph/select_links.h"

#include <algorithm>
#include <array>

#include "graph/link_arena.h"
#include "graph/scorer.h"

namespace vicinal::graph {
namespace {

constexpr std::size_t kGroup = 8;

// True when one of `kept` is at most `distance` from `candidate`.
bool occluded(const GraphState& g, NodeId candidate, float distance, const std::uint32_t* kept,
              std::size_t count, Scratch& scratch) {
  if (count == 0) return false;
  const Scorer score = Scorer::for_node(g, candidate, Scorer::Side::kSecond, scratch);
  std::array<float, kGroup> distances;
  for (std::size_t done = 0; done < count; done += kGroup) {
    const std::size_t n = std::min(kGroup, count - done);
    score(kept + done, n, distances.data());
    scratch.distances_computed += n;
    for (std::size_t i = 0; i < n; ++i) {
      if (distances[i] <= distance) return true;
    }
  }
  return false;
}

}  // namespace

std::size_t select_links(const GraphState& g, std::span<LinkCandidate> candidates,
                         std::size_t limit, Scratch& scratch) {
  std::size_t needed = 0;
  for (const LinkCandidate& c : candidates) needed += c.needed ? 1 : 0;
  std::size_t room = limit > needed ? limit - needed : 0;
  std::array<std::uint32_t, kMaxLinks> kept_ids;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const LinkCandidate c = candidates[i];
    if (!c.needed) {
      if (room == 0) {
        if (needed == 0) break;
        continue;
      }
      if (occluded(g, c.neighbor.node, c.neighbor.distance, kept_ids.data(), kept, scratch)) {
        continue;
      }
      --room;
    } else {
      --needed;
    }
    kept_ids[kept] = raw(c.neighbor.node);
    candidates[kept++] = c;
    if (kept == kept_ids.size()) break;
  }
  return kept;
}

}  // namespace vicinal::graph
