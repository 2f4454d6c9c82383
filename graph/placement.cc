#include "graph/placement.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <utility>

#include "graph/scorer.h"
#include "graph/scratch.h"

namespace vicinal::graph {
namespace {

constexpr std::size_t kMostLeaders = 32;
constexpr std::size_t kRowsALeader = 8;   ///< at least
constexpr std::size_t kSmallest = 16;     ///< what is not split any more
constexpr std::size_t kChunk = 256;       ///< rows that meet all leaders while they are in a cache
constexpr std::size_t kLarge = 16 << 10;  ///< what all threads split together
constexpr unsigned kDeepest = 8;          ///< where all are equal, or one leader draws all

/// Part of the order: from `begin` on, `count` long.
struct Range {
  std::size_t begin;
  std::size_t count;
  unsigned depth;
};

class Placement {
 public:
  Placement(const GraphState& g, std::span<const NodeId> nodes)
      : g_(g),
        nodes_(nodes),
        order_(nodes.size()),
        moved_(nodes.size()),
        nearest_leader_(nodes.size()) {
    std::iota(order_.begin(), order_.end(), 0u);
  }

  internal::Vector<std::uint32_t> run(const internal::Workers& workers) && {
    internal::Vector<Range> large;
    internal::Vector<Range> small;
    large.push_back({0, nodes_.size(), 0});
    while (!large.empty()) {
      const Range range = large.back();
      large.pop_back();
      if (range.count < kLarge) {
        small.push_back(range);
      } else {
        split(range, workers, large);
      }
    }
    workers.for_each(small.size(), 1, [&](std::size_t i) {
      internal::Vector<Range> parts(1, small[i]);
      while (!parts.empty()) {
        const Range range = parts.back();
        parts.pop_back();
        split(range, {}, parts);
      }
    });
    return std::move(order_);
  }

 private:
  struct Leaders {
    std::array<NodeId, kMostLeaders> nodes;
    std::size_t count;
  };

  // Moves each of the range to its leader's group; adds the groups to `parts`.
  void split(const Range& range, const internal::Workers& workers, internal::Vector<Range>& parts) {
    if (range.count <= kSmallest || range.depth == kDeepest) return;
    const Leaders leaders = choose_leaders(range);
    const std::size_t chunks = (range.count + kChunk - 1) / kChunk;
    workers.for_each(chunks, 8, [&](std::size_t chunk) {
      const std::size_t first = range.begin + chunk * kChunk;
      find_nearest(leaders, first, std::min(first + kChunk, range.begin + range.count));
    });
    std::array<std::size_t, kMostLeaders> ends{};
    for (std::size_t i = range.begin; i < range.begin + range.count; ++i) {
      ++ends[nearest_leader_[i]];
    }
    std::size_t end = range.begin;
    for (std::size_t l = 0; l < leaders.count; ++l) {
      if (ends[l] < range.count) parts.push_back({end, ends[l], range.depth + 1});
      end = ends[l] += end;
    }
    for (std::size_t i = range.begin + range.count; i-- > range.begin;) {
      moved_[--ends[nearest_leader_[i]]] = order_[i];
    }
    std::copy_n(moved_.begin() + static_cast<std::ptrdiff_t>(range.begin), range.count,
                order_.begin() + static_cast<std::ptrdiff_t>(range.begin));
  }

  // From all over the range, each the nearest to the one before of those that are left.
  Leaders choose_leaders(const Range& range) const {
    Leaders leaders{};
    leaders.count = std::clamp<std::size_t>(range.count / kRowsALeader, 2, kMostLeaders);
    for (std::size_t l = 0; l < leaders.count; ++l) {
      leaders.nodes[l] = node_at(range.begin + (2 * l + 1) * range.count / (2 * leaders.count));
    }
    const BorrowedScratch scratch(g_.scratches);
    for (std::size_t l = 0; l + 2 < leaders.count; ++l) {
      std::array<std::uint32_t, kMostLeaders> ids{};
      std::array<float, kMostLeaders> distances{};
      const std::size_t left = leaders.count - (l + 1);
      for (std::size_t i = 0; i < left; ++i) ids[i] = raw(leaders.nodes[l + 1 + i]);
      const Scorer score = Scorer::for_node(g_, leaders.nodes[l], Scorer::Side::kMain, *scratch);
      score(ids.data(), left, distances.data());
      const auto nearest = static_cast<std::size_t>(
          std::min_element(distances.begin(), distances.begin() + left) - distances.begin());
      std::swap(leaders.nodes[l + 1], leaders.nodes[l + 1 + nearest]);
    }
    return leaders;
  }

  void find_nearest(const Leaders& leaders, std::size_t first, std::size_t last) {
    std::array<std::uint32_t, kChunk> ids{};
    std::array<float, kChunk> distances{};
    std::array<float, kChunk> least{};
    const std::size_t count = last - first;
    for (std::size_t i = 0; i < count; ++i) ids[i] = raw(node_at(first + i));
    least.fill(std::numeric_limits<float>::infinity());
    std::fill_n(nearest_leader_.begin() + static_cast<std::ptrdiff_t>(first), count, 0);
    const BorrowedScratch scratch(g_.scratches);
    for (std::size_t l = 0; l < leaders.count; ++l) {
      const Scorer score = Scorer::for_node(g_, leaders.nodes[l], Scorer::Side::kMain, *scratch);
      score(ids.data(), count, distances.data(),
            l == 0 ? kernels::Rows::kScattered : kernels::Rows::kCached);
      for (std::size_t i = 0; i < count; ++i) {
        if (distances[i] < least[i]) {
          least[i] = distances[i];
          nearest_leader_[first + i] = static_cast<std::uint8_t>(l);
        }
      }
    }
  }

  NodeId node_at(std::size_t position) const { return nodes_[order_[position]]; }

  const GraphState& g_;
  const std::span<const NodeId> nodes_;
  internal::Vector<std::uint32_t> order_;          ///< indices of nodes_
  internal::Vector<std::uint32_t> moved_;          ///< the order that is being made, by position
  internal::Vector<std::uint8_t> nearest_leader_;  ///< by position
};

}  // namespace

internal::Vector<std::uint32_t> order_by_nearness(const GraphState& g,
                                                  std::span<const NodeId> nodes,
                                                  const internal::Workers& workers) {
  return Placement(g, nodes).run(workers);
}

}  // namespace vicinal::graph
