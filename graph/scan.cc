// Scan: exact comparison with every node that counts, by slot or by a filter's own list.
#include <algorithm>
#include <limits>

#include "engine/base/step_hook.h"
#include "graph/graph.h"
#include "graph/results.h"
#include "graph/scorer.h"
#include "graph/search_cost.h"

namespace vicinal::graph {
namespace {

constexpr std::size_t kScanBatch = 256;

// Keeps the `most` nearest of all that it is given (0: all within the radius).
class Nearest {
 public:
  /// Uses `found`.
  Nearest(std::size_t most, float radius, internal::Vector<Found>& found)
      : most_(most), bound_(radius), found_(found) {
    found_.clear();
  }

  void offer(const Found& f) {
    if (f.distance > bound_) return;
    found_.push_back(f);
    if (most_ > 0 && found_.size() >= 2 * most_ + 64) cut();
  }
  /// Nearest first; good until the vector is used again.
  std::span<const Found> sorted() {
    std::sort(found_.begin(), found_.end(), nearer);
    if (most_ > 0 && found_.size() > most_) found_.resize(most_);
    return found_;
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
  internal::Vector<Found>& found_;
};

/// One scan: nodes are gathered, and compared some at a time.
class Scan {
 public:
  Scan(const GraphState& g, const Moment& moment, const SearchRequest& request, Nearest& nearest,
       SearchCounters& counters)
      : g_(g),
        moment_(moment),
        request_(request),
        nearest_(nearest),
        counters_(counters),
        scratch_(moment.scratch()),
        prepared_(prepare_exact_query(g, request.query, scratch_)) {
    scratch_.ids.resize(kScanBatch);
    scratch_.distances.resize(kScanBatch);
  }

  void all_slots() {
    const std::uint64_t limit = g_.next_slot.load(std::memory_order_acquire);
    for (std::uint64_t i = 0; i < limit; ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      VICINAL_STEP_POINT("scan.slot");
      if (moment_.counts(node)) visit(node);
      if (request_.limit != nullptr && i % kScanBatch == 0) compare();  // also where none counts
      if (stopped_) return;
    }
    compare();
  }
  void listed() {
    std::vector<NodeId> nodes;
    nodes.reserve(request_.listed->count);
    request_.listed->append(moment_, nodes);
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    for (const NodeId node : nodes) {
      visit(node);
      if (stopped_) return;
    }
    compare();
  }

 private:
  void visit(NodeId node) {
    ++counters_.nodes_visited;
    if (request_.accept == nullptr || (*request_.accept)(g_.labels[node])) {
      scratch_.ids[gathered_++] = raw(node);
    }
    // Where hardly any passes a filter it is the looking that takes the time.
    const bool due = request_.limit != nullptr && counters_.nodes_visited % kScanBatch == 0;
    if (gathered_ == kScanBatch || due) compare();
  }

  void compare() {
    exact_distances_of(g_, request_, prepared_, std::span(scratch_.ids.data(), gathered_),
                       scratch_.distances.data(), scratch_);
    for (std::size_t i = 0; i < gathered_; ++i) {
      if (scratch_.distances[i] == std::numeric_limits<float>::infinity()) continue;
      const NodeId node{scratch_.ids[i]};
      nearest_.offer({node, g_.labels[node], scratch_.distances[i]});
    }
    counters_.distances += gathered_;
    counters_.row_bytes += gathered_ * g_.codec.shape().bytes();
    stopped_ = request_.limit != nullptr && request_.limit->spend(gathered_);
    gathered_ = 0;
  }

  const GraphState& g_;
  const Moment& moment_;
  const SearchRequest& request_;
  Nearest& nearest_;
  SearchCounters& counters_;
  Scratch& scratch_;
  const float* const prepared_;
  std::size_t gathered_ = 0;
  bool stopped_ = false;
};

void scan_all(const GraphState& g, const Moment& moment, const SearchRequest& request,
              Nearest& nearest, SearchCounters& counters) {
  Scan scan(g, moment, request, nearest, counters);
  counters.path = SearchPath::kExactScan;
  if (request.listed != nullptr &&
      SearchCost(g).by_list(request, accepted_share(g, moment, request))) {
    scan.listed();
  } else {
    scan.all_slots();
  }
}

}  // namespace

std::size_t Graph::scan(const Moment& moment, const SearchRequest& request, std::span<Found> out,
                        SearchCounters& counters) const {
  const std::size_t k = std::min(request.k, out.size());
  if (k == 0) return 0;
  Nearest nearest(k, std::numeric_limits<float>::infinity(), moment.scratch().results);
  scan_all(*state_, moment, request, nearest, counters);
  const std::span<const Found> found = nearest.sorted();
  std::copy(found.begin(), found.end(), out.begin());
  return found.size();
}

std::vector<Found> Graph::scan_radius(const Moment& moment, const SearchRequest& request,
                                      float radius, SearchCounters& counters) const {
  internal::Vector<Found> all;  // of its own where there is no limit: what a scratch has it keeps
  Nearest nearest(request.k, radius, request.k == 0 ? all : moment.scratch().results);
  scan_all(*state_, moment, request, nearest, counters);
  const std::span<const Found> found = nearest.sorted();
  return {found.begin(), found.end()};
}

}  // namespace vicinal::graph
