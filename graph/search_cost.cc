#include "graph/search_cost.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "graph/graph_state.h"

namespace vicinal::graph {
namespace {

// Nanoseconds; only their ratios matter. Measured on a Zen with 32 MB of third-level cache: walks
// of ef 64 and scans of 61,252 rows of 300 dimensions, filters that pass from half to 1 in 500.
constexpr double kPerDistance = 10;
constexpr double kPerCodeByte = 0.085;
constexpr double kPerWalkedRowByte = 0.06;
constexpr double kPerRow = 20;
constexpr double kPerRowByte = 0.035;
constexpr double kPerSlot = 1.5;
constexpr double kPerAccept = 6;
constexpr double kPerLookUp = 50;
// For each of the nodes kept, at each distance: newcomers are merged into them.
constexpr double kPerKept = 0.01;

double per_walked_row(const GraphState& g) {
  if (!g.use_codes) return kPerWalkedRowByte * static_cast<double>(g.vectors.stride());
  const SegmentTable& rows = g.sketch_trial.passed() ? g.sketches : g.walked();
  return kPerCodeByte * static_cast<double>(rows.stride());
}

}  // namespace

void WalkStatistics::note(std::uint64_t expanded, std::uint64_t distances) {
  constexpr std::uint64_t kFewest = 16;
  if (expanded < kFewest) return;
  std::atomic<std::uint32_t>& known = (*per_node_)[std::min<std::size_t>(
      static_cast<std::size_t>(std::bit_width(expanded)), kBuckets - 1)];
  const auto seen = static_cast<std::uint32_t>(kUnit * static_cast<double>(distances) /
                                               static_cast<double>(expanded));
  const std::uint32_t before = known.load(std::memory_order_relaxed);
  const std::uint32_t difference = seen > before ? seen - before : before - seen;
  // Many threads search: the line is written only where that tells something new.
  if (difference * 8 <= before) return;
  known.store(before == 0 ? seen : (3 * before + seen) / 4, std::memory_order_relaxed);
}

double WalkStatistics::distances(double expanded, std::uint32_t M) const {
  // Longer walks meet fewer new nodes at each: from bucket to bucket about a tenth less.
  constexpr double kLess = 0.9;
  const std::size_t wanted = std::min<std::size_t>(
      static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(std::max(expanded, 1.0)))),
      kBuckets - 1);
  double per_node = 1.25 * M;
  std::size_t from = 7;  // an ef of about 100: where a default of M is right
  for (std::size_t i = wanted + 1; i-- > 0;) {
    const std::uint32_t known = (*per_node_)[i].load(std::memory_order_relaxed);
    if (known == 0) continue;
    per_node = known / kUnit;
    from = i;
    break;
  }
  for (; from < wanted; ++from) per_node *= kLess;
  return expanded * per_node;
}

SearchCost::SearchCost(const GraphState& g)
    : g_(g),
      slots_(static_cast<double>(g.next_slot.load(std::memory_order_relaxed))),
      live_(std::max(static_cast<double>(g.live_count.load(std::memory_order_relaxed)), 1.0)),
      dead_(std::max(static_cast<double>(g.tombstone_count.load(std::memory_order_relaxed)), 0.0)),
      code_(kPerDistance + per_walked_row(g)),
      row_(kPerRow + kPerRowByte * static_cast<double>(g.vectors.stride())) {}

double SearchCost::counting_share(double share) const { return share * live_ / (live_ + dead_); }

double SearchCost::per_distance(const SearchRequest& request, double beam, double share) const {
  const double accept = request.accept != nullptr ? kPerAccept : 0;
  const double kept = beam / std::max(counting_share(share), 1e-9);  // in both pools
  return code_ + accept + kPerKept * std::min(kept, slots_);
}

bool SearchCost::scan_is_cheaper(const SearchRequest& request, double beam, double share) const {
  // No walk computes so many distances for a node of its beam.
  constexpr double kMostPerNode = 256;
  if (request.accept == nullptr && dead_ == 0 && beam * kMostPerNode < slots_) return false;
  return scan(request, share) < walk(request, beam, share);
}

double SearchCost::walk(const SearchRequest& request, double beam, double share) const {
  const double expanded = std::min(beam / std::max(counting_share(share), 1e-9), slots_);
  const double distances = std::min(g_.walk_statistics.distances(expanded, g_.config.M), slots_);
  return distances * per_distance(request, beam, share);
}

std::size_t SearchCost::others(double beam, double share) const {
  constexpr double kSpare = 3;
  constexpr double kFewest = 256;
  const double expected = beam / std::max(counting_share(share), 1e-9) - beam;
  return static_cast<std::size_t>(
      std::clamp(kSpare * expected, kFewest, std::max(slots_, kFewest)));
}

double SearchCost::slots_scan(const SearchRequest& request, double share) const {
  return slots_ * kPerSlot + (request.accept != nullptr ? live_ * kPerAccept : 0) +
         live_ * share * row_;
}

double SearchCost::list_scan(const SearchRequest& request, double share) const {
  return static_cast<double>(request.listed->count) * kPerLookUp + live_ * share * row_;
}

bool SearchCost::by_list(const SearchRequest& request, double share) const {
  return request.listed != nullptr && list_scan(request, share) < slots_scan(request, share);
}

double SearchCost::scan(const SearchRequest& request, double share) const {
  return by_list(request, share) ? list_scan(request, share) : slots_scan(request, share);
}

std::uint64_t SearchCost::distances_of_scan(const SearchRequest& request, double beam,
                                            double share) const {
  return static_cast<std::uint64_t>(
      std::ceil(scan(request, share) / per_distance(request, beam, share)));
}

}  // namespace vicinal::graph
