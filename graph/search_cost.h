// SearchCost: what a walk and what a scan of this index would cost, to choose between them.
//
// What: estimates in nanoseconds, from how many nodes there are, how long their rows are, how many
// of them count, and how many distances earlier walks computed for each node they expanded. Only
// the ratio of two estimates matters.
// Why not a fixed share: where one in twenty passes a filter, a scan of 30,000 is as cheap as a
// walk, and one of a million thirty times dearer.
// Threads: any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "graph/search_request.h"

namespace vicinal::graph {

class GraphState;

/// What earlier walks did, told by every search.
class WalkStatistics {
 public:
  /// A walk expanded so many nodes, and computed so many distances.
  void note(std::uint64_t expanded, std::uint64_t distances);
  /// Distances that a walk through `expanded` nodes computes; `M` of the graph.
  double distances(double expanded, std::uint32_t M) const;

  /// Before the first walk: makes room. Throws std::bad_alloc; no effect the second time. Not beside
  /// any other call.
  void prepare() {
    if (per_node_ == nullptr) per_node_ = std::make_unique<PerNode>();
  }

  std::atomic<std::uint64_t> wider_walks{0};     ///< see GraphStats
  std::atomic<std::uint64_t> fallback_scans{0};  ///< see GraphStats

 private:
  static constexpr std::size_t kBuckets = 32;
  static constexpr double kUnit = 16;
  using PerNode = std::array<std::atomic<std::uint32_t>, kBuckets>;
  /// Distances a node, in 1/kUnit, by the bit width of the nodes expanded; 0 where unknown. Null until
  /// prepare(), while a graph is flat: nobody walks in one.
  std::unique_ptr<PerNode> per_node_;
};

class SearchCost {
 public:
  explicit SearchCost(const GraphState& g);

  /// Of the nodes that a walk meets, those that count where `share` of the live ones are accepted.
  double counting_share(double share) const;
  /// Whether scan() costs less than walk(). Quick to say no where all count and the beam is narrow.
  bool scan_is_cheaper(const SearchRequest& request, double beam, double share) const;
  /// A walk for `beam` nodes that count.
  double walk(const SearchRequest& request, double beam, double share) const;
  /// Comparing with all that count, by slot or, where it is cheaper, by the filter's list.
  double scan(const SearchRequest& request, double share) const;
  /// Whether scan() means the list.
  bool by_list(const SearchRequest& request, double share) const;
  /// How many distances of a walk for `beam` cost as much as the scan.
  std::uint64_t distances_of_scan(const SearchRequest& request, double beam, double share) const;
  /// How many nodes that do not count a walk for `beam` must keep to pass through them, and some to
  /// spare.
  std::size_t others(double beam, double share) const;

 private:
  double slots_scan(const SearchRequest& request, double share) const;
  double list_scan(const SearchRequest& request, double share) const;
  double per_distance(const SearchRequest& request, double beam, double share) const;

  const GraphState& g_;
  const double slots_;
  const double live_;
  const double dead_;
  const double code_;  ///< a distance of a walk and what goes with it
  const double row_;   ///< a distance of a scan
};

}  // namespace vicinal::graph
