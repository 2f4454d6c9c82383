// Scan: exact comparison with every visible node, or with given ones.
#include <algorithm>
#include <limits>
#include <mutex>

#include "graph/results.h"
#include "graph/scorer.h"
#include "graph/visibility.h"

namespace vicinal::graph {
namespace {

constexpr std::size_t kScanBatch = 256;

// The nodes that were visible at one moment, ascending.
internal::Vector<std::uint32_t> visible_nodes(const GraphState& g) {
  internal::Vector<std::uint32_t> nodes;
  look_consistently(g, [&] {
    nodes.clear();
    const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
    for (std::uint64_t i = 0; i < limit; ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      if (g.state(node) == NodeState::kLive) nodes.push_back(raw(node));
    }
  });
  return nodes;
}

// Keeps the `most` nearest of all that it is given (0: all within the radius).
class Nearest {
 public:
  Nearest(std::size_t most, float radius) : most_(most), bound_(radius) {}

  void offer(const Found& f) {
    if (f.distance > bound_) return;
    found_.push_back(f);
    if (most_ > 0 && found_.size() >= 2 * most_ + 64) cut();
  }
  std::vector<Found> take() {
    std::sort(found_.begin(), found_.end(), nearer);
    if (most_ > 0 && found_.size() > most_) found_.resize(most_);
    return std::move(found_);
  }

 private:
  void cut() {
    const auto nth = found_.begin() + static_cast<std::ptrdiff_t>(most_ - 1);
    std::nth_element(found_.begin(), nth, found_.end(), nearer);
    bound_ = nth->distance;
    found_.resize(most_);
  }

  const std::size_t most_;
  float bound_;
  std::vector<Found> found_;
};

void scan_ids(const GraphState& g, const SearchRequest& request,
              std::span<const std::uint32_t> nodes, Nearest& nearest, SearchCounters& counters,
              Scratch& scratch) {
  const float* prepared = prepare_exact_query(g, request.query, scratch);
  scratch.ids.resize(kScanBatch);
  scratch.distances.resize(kScanBatch);
  std::size_t n = 0;
  const auto flush = [&] {
    exact_distances_of(g, request, prepared, std::span(scratch.ids.data(), n),
                       scratch.distances.data(), scratch);
    for (std::size_t i = 0; i < n; ++i) {
      if (scratch.distances[i] == std::numeric_limits<float>::infinity()) continue;
      const NodeId node{scratch.ids[i]};
      nearest.offer({node, g.labels[node], scratch.distances[i]});
    }
    counters.distances += n;
    n = 0;
  };
  for (const std::uint32_t id : nodes) {
    if (request.accept != nullptr && !(*request.accept)(g.labels[id])) continue;
    scratch.ids[n++] = id;
    if (n == kScanBatch) flush();
  }
  flush();
  counters.nodes_visited += nodes.size();
  counters.path = SearchPath::kExactScan;
}

std::size_t copy_out(const std::vector<Found>& found, std::span<Found> out) {
  const std::size_t n = std::min(found.size(), out.size());
  std::copy_n(found.begin(), n, out.begin());
  return n;
}

}  // namespace

std::size_t Graph::scan(const SearchRequest& request, std::span<Found> out,
                        SearchCounters& counters) const {
  const std::size_t k = std::min(request.k, out.size());
  if (k == 0) return 0;
  const BorrowedScratch scratch(state_->scratches);
  Nearest nearest(k, std::numeric_limits<float>::infinity());
  scan_ids(*state_, request, visible_nodes(*state_), nearest, counters, *scratch);
  return copy_out(nearest.take(), out);
}

std::vector<Found> Graph::scan_radius(const SearchRequest& request, float radius,
                                      SearchCounters& counters) const {
  const BorrowedScratch scratch(state_->scratches);
  Nearest nearest(request.k, radius);
  scan_ids(*state_, request, visible_nodes(*state_), nearest, counters, *scratch);
  return nearest.take();
}

std::size_t Graph::scan_nodes(const SearchRequest& request, std::span<const NodeId> nodes,
                              std::span<Found> out, SearchCounters& counters) const {
  const std::size_t k = std::min(request.k, out.size());
  if (k == 0) return 0;
  const GraphState& g = *state_;
  const BorrowedScratch scratch(g.scratches);
  internal::Vector<std::uint32_t> visible;
  look_consistently(g, [&] {
    visible.clear();
    for (const NodeId node : nodes) {
      if (g.state(node) == NodeState::kLive) visible.push_back(raw(node));
    }
  });
  std::sort(visible.begin(), visible.end());
  visible.erase(std::unique(visible.begin(), visible.end()), visible.end());
  Nearest nearest(k, std::numeric_limits<float>::infinity());
  scan_ids(g, request, visible, nearest, counters, *scratch);
  return copy_out(nearest.take(), out);
}

}  // namespace vicinal::graph
