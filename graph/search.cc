// Search: algorithms 2 and 5, re-ranking, filters, radius.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "engine/base/step_hook.h"
#include "graph/copies.h"
#include "graph/graph.h"
#include "graph/results.h"
#include "graph/scorer.h"
#include "graph/search_cost.h"
#include "graph/search_layer.h"

namespace vicinal::graph {
namespace {

// How many of the walk's candidates are re-ranked: int8 order is nearly exact, so a few beyond k
// do.
std::size_t rerank_count(const GraphState& g, std::size_t k) {
  return g.use_codes ? std::max(2 * k, k + 16) : k + 8;
}

// How many nodes that count a walk of `ef` keeps where only `share` of the nodes do. Keeping ef of
// them means a walk through ef / share nodes, and finds more than the same walk would where all
// count; keeping ef * share means the walk of before, and finds less. The cube root of the share
// lies between: with half of the nodes erased, 1.6 times the walk, recall as before.
std::size_t counting_beam(std::size_t ef, std::size_t k, double share) {
  if (share >= 1) return ef;
  const double beam = std::ceil(static_cast<double>(ef) * std::cbrt(std::max(share, 0.0)));
  return std::clamp(static_cast<std::size_t>(beam), k, ef);
}

bool stopped(const SearchRequest& request) {
  return request.limit != nullptr && request.limit->stopped();
}

/// Counts for search_layer(): what counts at the moment and is accepted.
class CountsAtMoment {
 public:
  CountsAtMoment(const GraphState& g, const SearchRequest& request, Scratch& scratch)
      : visibility_(g.visibility),
        labels_(g.labels),
        accept_(request.accept),
        limit_(request.limit),
        seen_(scratch.distances_computed),
        scratch_(scratch) {}

  bool every(const std::uint64_t* entries, std::size_t count) const {
    bool all = accept_ == nullptr;
    for (std::size_t i = 0; i < count; ++i) {
      all &= visibility_.counts_for_all(CandidatePool::node_of(entries[i]));
    }
    return all;
  }
  bool operator()(NodeId node) const {
    return visibility_.counts(node, scratch_.number, scratch_.unsettled) &&
           (accept_ == nullptr || (*accept_)(labels_[node]));
  }
  bool enough() const {
    if (limit_ == nullptr) return false;
    const std::uint64_t computed = scratch_.distances_computed;
    return limit_->spend(computed - std::exchange(seen_, computed));
  }

 private:
  const Visibility& visibility_;
  const SegmentedArray<Label>& labels_;
  const std::function<bool(Label)>* const accept_;
  SearchLimit* const limit_;
  mutable std::uint64_t seen_;
  Scratch& scratch_;
};

/// One search's walks. Leaves the nearest that count in scratch.pool.
class Walk {
 public:
  /// `by_sketch`: whether it may go by sketches.
  Walk(const GraphState& g, const SearchRequest& request, bool by_sketch, Scratch& scratch)
      : g_(g), request_(request), scratch_(scratch), by_sketch_(by_sketch) {}

  /// For `beam` nodes that count, of which `share` of the live ones are accepted. False when a scan
  /// is cheaper than to go on.
  bool run(std::size_t beam, double share, SearchCounters& counters) {
    const std::uint64_t slots = g_.next_slot.load(std::memory_order_relaxed);
    constexpr std::size_t kWider = 8;
    const SearchCost cost(g_);
    // Where all count a walk is never longer than it needs to be.
    const bool bounded = cost.counting_share(share) < 1;
    std::uint64_t left = bounded
                             ? cost.distances_of_scan(request_, static_cast<double>(beam), share)
                             : ~std::uint64_t{0};
    for (std::size_t others = cost.others(static_cast<double>(beam), share);;
         others = std::min<std::uint64_t>(others * kWider, slots)) {
      const std::uint64_t distances = scratch_.distances_computed;
      const std::uint64_t expanded = scratch_.nodes_expanded;
      const WalkEnd end = once({.ef = beam, .others = others, .distances = left});
      const std::uint64_t computed = scratch_.distances_computed - distances;
      counters.distances += computed;
      counters.row_bytes += computed * walk_->row_bytes();
      counters.nodes_visited += scratch_.nodes_expanded - expanded;
      counters.path = request_.accept != nullptr ? SearchPath::kFilteredGraph : SearchPath::kGraph;
      g_.walk_statistics.note(scratch_.nodes_expanded - expanded, computed);
      if (end == WalkEnd::kWhole || stopped(request_)) return true;
      if (end == WalkEnd::kOutOfDistances || computed >= left || others >= slots) return false;
      remember(counters);
      left -= computed;
      g_.walk_statistics.wider_walks.fetch_add(1, std::memory_order_relaxed);
    }
  }

  /// Keeps the nearest k of the pool, where a limit may stop what comes in place of this walk.
  void remember(SearchCounters& counters) {
    if (request_.limit == nullptr) return;
    const std::uint64_t computed = scratch_.distances_computed;
    refine(*walk_, *codes_, scratch_);
    scratch_.ids.clear();
    const std::size_t n = std::min(request_.k, scratch_.pool.size());
    for (std::size_t i = 0; i < n; ++i) scratch_.ids.push_back(raw(scratch_.pool[i].node));
    scratch_.distances.resize(std::max(n, kMaxLinks));
    measure(0, n);
    const std::uint64_t spent = scratch_.distances_computed - computed + n;
    counters.distances += spent;
    counters.row_bytes += n * g_.codec.shape().bytes();
    for (std::size_t i = 0; i < n; ++i) {
      if (scratch_.distances[i] == std::numeric_limits<float>::infinity()) continue;  // no row
      const NodeId node{scratch_.ids[i]};
      scratch_.met.push_back({node, g_.labels[node], scratch_.distances[i]});
    }
    request_.limit->spend(spent);
  }

  /// Of `out`, of which a search that was stopped has filled `n`, and what was met before that (a walk that
  /// was too narrow, and gave way to a wider one or to a scan): the nearest, into `out`. How many.
  std::size_t add_met(std::span<Found> out, std::size_t n) {
    internal::Vector<Found>& met = scratch_.met;
    if (met.empty()) return n;
    met.insert(met.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(n));
    std::sort(met.begin(), met.end(), nearer);
    const auto same = [](const Found& a, const Found& b) { return a.node == b.node; };
    met.erase(std::unique(met.begin(), met.end(), same), met.end());
    met.resize(std::min(met.size(), out.size()));
    std::copy(met.begin(), met.end(), out.begin());
    return met.size();
  }

  /// The `most` nearest, copies included (of what is farther than `farthest` without them): exact
  /// distances in scratch.ids and scratch.distances. False when a scan is cheaper. Of those behind
  /// the first `k` what cannot be among the nearest `k` any more may be left out.
  bool rerank(std::size_t k, std::size_t most, float farthest, SearchCounters& counters) {
    const std::uint64_t computed = scratch_.distances_computed;
    refine(*walk_, *codes_, scratch_);
    const std::uint64_t refined = scratch_.distances_computed - computed;
    counters.distances += refined;
    counters.row_bytes += refined * codes_->row_bytes();
    const CountsAtMoment counts(g_, request_, scratch_);
    const std::uint64_t expanded = scratch_.nodes_expanded;
    const bool whole =
        gather_copies(g_, request_.rows, most, farthest, std::cref(counts), scratch_);
    counters.nodes_visited += scratch_.nodes_expanded - expanded;
    if (!whole) return false;
    const std::size_t n = scratch_.ids.size();
    scratch_.distances.resize(std::max(n, kMaxLinks));
    // With copies the ids are not the pool's entries one by one.
    std::size_t known = scratch_.copies.empty() ? std::min(k, n) : n;
    measure(0, known);
    if (known < n) {
      const float* const first = scratch_.distances.data();
      const std::size_t open = open_until(known, n, *std::max_element(first, first + known));
      measure(known, open);
      known = open;
    }
    scratch_.ids.resize(known);
    counters.distances += known;
    counters.row_bytes += known * g_.codec.shape().bytes();
    return true;
  }

 private:
  // Exact distances of scratch.ids from `begin` to `end`.
  void measure(std::size_t begin, std::size_t end) {
    exact_distances_of(g_, request_, codes_->prepared(),
                       std::span(scratch_.ids.data() + begin, end - begin),
                       scratch_.distances.data() + begin, scratch_);
  }

  // Of the pool's entries from `begin` to `end` the first that cannot be nearer than `kth`.
  std::size_t open_until(std::size_t begin, std::size_t end, float kth) const {
    for (std::size_t i = begin; i < end; ++i) {
      const Neighbor n = scratch_.pool[i];
      if (n.distance - codes_->error(n.node, n.distance) > kth) return i;
    }
    return end;
  }

  WalkEnd once(const WalkWidth& width) {
    const Topology& t = *scratch_.topology;
    const EntryPoint entry = scratch_.entry;
    scratch_.pool.reset(0);
    scratch_.copies.clear();
    codes_.emplace(Scorer::for_query(g_, request_.query, scratch_));
    walk_.emplace(by_sketch_ && g_.sketch_trial.passed() ? codes_->for_walk(scratch_) : *codes_);
    const Scorer& score = *walk_;
    if (entry.node == kNoNode) return WalkEnd::kNarrow;  // linking has just begun
    const Starts starts =
        descend(g_, t, score, {score(entry.node), entry.node}, entry.level, 0,
                descent_breadth(g_.next_slot.load(std::memory_order_relaxed)), scratch_);
    // Before the walk: who leaves the list meanwhile is linked then, perhaps behind its back.
    scratch_.backlog.clear();
    g_.backlog.for_each([&](NodeId node) { scratch_.backlog.push_back(node); });
    const CountsAtMoment counts(g_, request_, scratch_);
    WalkWidth kept = width;
    if (score.over_sketches()) kept.ef = sketch_beam(width.ef);
    scratch_.absent = request_.without;
    const WalkEnd end =
        search_layer(g_, t, score, starts, kept, 0, request_.without, counts, scratch_);
    scratch_.absent = kNoNode;
    add_backlog(score, counts);
    return end;
  }

  // What no walk can be sure to meet.
  void add_backlog(const Scorer& score, const CountsAtMoment& counts) {
    for (const NodeId node : scratch_.backlog) {
      if (!counts(node) || !scratch_.visited.insert(raw(node))) continue;
      scratch_.pool.insert(score(node), node);
      ++scratch_.distances_computed;
    }
  }

  const GraphState& g_;
  const SearchRequest& request_;
  Scratch& scratch_;
  const bool by_sketch_;
  std::optional<Scorer> codes_;  ///< of the last walk
  std::optional<Scorer> walk_;   ///< what it went by
};

// Of scratch.ids with scratch.distances, the nearest go to `out`; returns how many.
std::size_t write_results(const GraphState& g, std::span<Found> out, Scratch& scratch) {
  scratch.results.clear();
  for (std::size_t i = 0; i < scratch.ids.size(); ++i) {
    if (scratch.distances[i] == std::numeric_limits<float>::infinity()) continue;
    const NodeId node{scratch.ids[i]};
    scratch.results.push_back({node, g.labels[node], scratch.distances[i]});
  }
  std::sort(scratch.results.begin(), scratch.results.end(), nearer);
  const std::size_t n = std::min(scratch.results.size(), out.size());
  std::copy_n(scratch.results.begin(), n, out.begin());
  return n;
}

}  // namespace

std::size_t Graph::search(const Moment& moment, const SearchRequest& request, std::span<Found> out,
                          SearchCounters& counters) const {
  const GraphState& g = *state_;
  const std::size_t k = std::min(request.k, out.size());
  if (k == 0 || live() == 0) {
    counters.path = SearchPath::kEmpty;
    return 0;
  }
  if (moment.scratch().flat) return scan(moment, request, out, counters);  // G14
  const SearchCost cost(g);
  const double share = accepted_share(g, moment, request);
  const std::size_t beam = counting_beam(std::max(request.ef, k), k, cost.counting_share(share));
  SearchRequest known = request;  // its share, too, should it be scanned
  known.selectivity = share;
  if (cost.scan_is_cheaper(request, static_cast<double>(beam), share)) {
    return scan(moment, known, out, counters);
  }
  VICINAL_STEP_POINT("search.walk");
  Scratch& scratch = moment.scratch();
  scratch.met.clear();
  Walk walk(g, request, true, scratch);
  constexpr float kAnyDistance = std::numeric_limits<float>::infinity();
  // Who is out of time or distances gets those that he asked for in order, and no others looked at.
  const auto most = [&] { return stopped(request) ? k : rerank_count(g, k); };
  if (walk.run(beam, share, counters) && walk.rerank(k, most(), kAnyDistance, counters)) {
    const std::size_t n = write_results(g, out.first(k), scratch);
    if (stopped(request)) return walk.add_met(out.first(k), n);
    // A beam that is not full has met all that a graph at rest leads to; but beside maintenance a node
    // may move from a parent that is not expanded yet to one that is.
    if (n >= std::min<std::uint64_t>(k, live())) return n;
  }
  g.walk_statistics.fallback_scans.fetch_add(1, std::memory_order_relaxed);
  walk.remember(counters);
  const std::size_t n = scan(moment, known, out.first(k), counters);
  return stopped(request) ? walk.add_met(out.first(k), n) : n;
}

std::vector<Found> Graph::search_radius(const Moment& moment, const SearchRequest& request,
                                        float radius, SearchCounters& counters) const {
  const GraphState& g = *state_;
  std::vector<Found> found;
  if (live() == 0) return found;
  if (moment.scratch().flat) return scan_radius(moment, request, radius, counters);
  const SearchCost cost(g);
  const double share = accepted_share(g, moment, request);
  SearchRequest known = request;
  known.selectivity = share;
  Scratch& scratch = moment.scratch();
  // By codes: a beam by sketches may leave out what lies within.
  Walk walk(g, request, false, scratch);
  // As far as codes may see what lies within.
  const float reach = radius + std::abs(radius) / 4 + 1e-3f;
  // Doubles the beam until its farthest candidate lies beyond the radius.
  for (std::size_t ef = std::max<std::size_t>(request.ef, 16);; ef *= 2) {
    if (cost.scan_is_cheaper(request, static_cast<double>(ef), share)) {
      return scan_radius(moment, known, radius, counters);
    }
    const bool whole = walk.run(ef, share, counters);
    const bool beam_was_full = scratch.pool.full();
    // As in search(). Copies are not in the beam: where there are fewer values than that, all are scanned.
    const bool too_few = !beam_was_full && scratch.pool.size() < live();
    if (!whole || too_few || !walk.rerank(~std::size_t{0}, ~std::size_t{0}, reach, counters)) {
      g.walk_statistics.fallback_scans.fetch_add(1, std::memory_order_relaxed);
      return scan_radius(moment, known, radius, counters);
    }
    found.resize(scratch.ids.size());
    found.resize(write_results(g, found, scratch));
    if (!beam_was_full || found.empty() || found.back().distance > radius) break;
  }
  const auto end =
      std::find_if(found.begin(), found.end(), [&](const Found& f) { return f.distance > radius; });
  found.erase(end, found.end());
  if (request.k > 0 && found.size() > request.k) found.resize(request.k);
  return found;
}

}  // namespace vicinal::graph
