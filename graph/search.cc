// Search: algorithms 2 and 5, re-ranking, filters, radius.
#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/results.h"
#include "graph/scorer.h"
#include "graph/search_layer.h"
#include "graph/visibility.h"

namespace vicinal::graph {
namespace {

// Below this share of passing nodes a walk that must find ef of them sees more nodes than it
// returns hits by a factor of twenty; comparing with the passing ones is cheaper and exact.
constexpr double kScanSelectivity = 0.05;
constexpr std::size_t kSelectivitySamples = 200;

// A search that updates overtook so often is answered by a scan, which looks at one moment.
constexpr int kMostWalks = 3;

double sampled_selectivity(const GraphState& g, const std::function<bool(Label)>& accept) {
  const BorrowedScratch inside(g.scratches);  // labels of reused slots are written meanwhile
  const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
  std::size_t live = 0;
  std::size_t passing = 0;
  // A fixed stride with a large odd step visits slots evenly and needs no random state.
  for (std::uint64_t i = 0; i < 2 * kSelectivitySamples && live < kSelectivitySamples; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i * 2654435761ull % limit)};
    if (g.state(node) != NodeState::kLive) continue;
    ++live;
    passing += accept(g.labels[node]) ? 1 : 0;
  }
  return live == 0 ? 0 : static_cast<double>(passing) / static_cast<double>(live);
}

// How many of the walk's candidates are re-ranked: int8 order is nearly exact, so a few beyond k
// do.
std::size_t rerank_count(const GraphState& g, std::size_t k) {
  return g.use_codes ? std::max(2 * k, k + 16) : k + 8;
}

// Takes up to `count` candidates that may be returned from `pool` into scratch.ids.
std::size_t take_candidates(const GraphState& g, const CandidatePool& pool, std::size_t count,
                            Scratch& scratch) {
  scratch.ids.resize(std::max(count, kMaxLinks));
  scratch.distances.resize(std::max(count, kMaxLinks));
  std::size_t n = 0;
  for (std::size_t i = 0; i < pool.size() && n < count; ++i) {
    const NodeState s = g.state_relaxed(pool[i].node);
    if (s == NodeState::kFree) continue;
    scratch.ids[n++] = raw(pool[i].node);
  }
  return n;
}

// How many live candidates a walk of `ef` keeps where a part of the nodes are tombstones. Keeping
// ef live ones means a walk through ef / share nodes, and finds more than the same walk among live
// nodes did; keeping ef * share means the walk of before, and finds less. The cube root of the
// share lies between: with half of the nodes erased, 1.6 times the walk, recall as before.
std::size_t live_beam(const GraphState& g, std::size_t ef, std::size_t k) {
  const auto live = static_cast<double>(g.live_count.load(std::memory_order_relaxed));
  const auto dead = static_cast<double>(g.tombstone_count.load(std::memory_order_relaxed));
  if (dead <= 0 || live <= 0) return ef;
  const double share = live / (live + dead);
  return std::max(k,
                  static_cast<std::size_t>(std::ceil(static_cast<double>(ef) * std::cbrt(share))));
}

struct Walk {
  std::size_t found = 0;    ///< candidates in scratch.ids, exact distances beside them
  bool filtered = false;    ///< not every node counted
  bool overtaken = false;   ///< met a node that had been hidden since the walk began
  std::uint64_t began = 0;  ///< the visibility sequence before any state was looked at
};

// The graph walk up to exact distances of the best candidates. `wanted` candidates at most.
Walk walk(const GraphState& g, const SearchRequest& request, std::size_t ef, std::size_t wanted,
          Scratch& scratch) {
  Walk result;
  result.began = g.visibility_sequence.load(std::memory_order_acquire);
  scratch.hidden.clear();
  const Topology& t = *g.topology.load(std::memory_order_acquire);
  const EntryPoint entry = t.entry_point();
  if (entry.node == kNoNode) return result;
  const Scorer score = Scorer::for_query(g, request.query, scratch);
  const float* prepared = score.prepared();
  const Starts starts =
      descend(g, t, score, {score(entry.node), entry.node}, entry.level, 0,
              descent_breadth(g.next_slot.load(std::memory_order_relaxed)), scratch);

  result.filtered =
      request.accept != nullptr || g.tombstone_count.load(std::memory_order_relaxed) > 0;
  if (result.filtered) {
    const auto accept = [&](NodeId node) {
      const NodeState s = g.state(node);
      if (s != NodeState::kLive) {
        scratch.hidden.push_back(raw(node));
        // Its successor may have been linked to what the walk had been past already.
        result.overtaken =
            result.overtaken || (s != NodeState::kPending && g.hidden_since(node, result.began));
        return false;
      }
      return request.accept == nullptr || (*request.accept)(g.labels[node]);
    };
    const std::size_t expansions = std::max<std::size_t>(ef * 32, 1024);
    search_layer_accepting(g, t, score, starts, ef, expansions, 0, accept, scratch);
    result.found = take_candidates(g, scratch.best, wanted, scratch);
  } else {
    search_layer(g, t, score, starts, ef, 0, kNoNode, scratch);
    result.found = take_candidates(g, scratch.pool, wanted, scratch);
  }
  exact_distances_of(g, request, prepared, std::span(scratch.ids.data(), result.found),
                     scratch.distances.data(), scratch);
  scratch.distances_computed += result.found;
  return result;
}

void add_counters(SearchCounters& counters, const Scratch& scratch, SearchPath path) {
  counters.distances += scratch.distances_computed;
  counters.nodes_visited += scratch.nodes_expanded;
  counters.path = path;
}

}  // namespace

void exact_distances_of(const GraphState& g, const SearchRequest& request, const float* prepared,
                        std::span<const std::uint32_t> ids, float* out, Scratch& scratch) {
  if (ids.empty()) return;
  if (request.rows == nullptr) {
    exact_distances(g, prepared, ids.data(), ids.size(), out);
    return;
  }
  scratch.rows.resize(ids.size());
  request.rows->rows(ids, scratch.rows.data());
  for (const float*& row : scratch.rows) {
    if (row == nullptr) row = prepared;
  }
  exact_distances_of_rows(g, prepared, ids.data(), scratch.rows.data(), ids.size(), out);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (scratch.rows[i] == prepared) out[i] = std::numeric_limits<float>::infinity();
  }
  request.rows->release();  // filters may call the store, and the next walk may read late rows
}

std::size_t write_results(const GraphState& g, const SearchRequest& request, std::size_t count,
                          std::uint64_t began, std::span<Found> out, bool& overtaken,
                          Scratch& scratch) {
  scratch.results.resize(count);
  std::size_t visible = 0;
  look_consistently(g, [&] {
    visible = 0;
    overtaken = false;
    const bool changed = g.visibility_sequence.load(std::memory_order_relaxed) != began;
    for (std::size_t i = 0; i < count; ++i) {
      const NodeId node{scratch.ids[i]};
      const NodeState s = g.state(node);
      // Its successor, if it was replaced, may have been linked behind the walk's back.
      overtaken = overtaken || (changed && s != NodeState::kLive && s != NodeState::kPending);
      if (s != NodeState::kLive) continue;
      scratch.results[visible++] = {node, g.labels[node], scratch.distances[i]};
    }
    if (!changed) return;
    for (std::size_t i = 0; i < scratch.hidden.size() && !overtaken; ++i) {
      overtaken = g.state(NodeId{scratch.hidden[i]}) == NodeState::kLive;
    }
  });
  // The walk may have let through what became live later; the filter is asked about those again.
  const auto end = std::remove_if(
      scratch.results.begin(), scratch.results.begin() + static_cast<std::ptrdiff_t>(visible),
      [&](const Found& f) {
        return f.distance == std::numeric_limits<float>::infinity() ||
               (request.accept != nullptr && !(*request.accept)(f.label));
      });
  std::sort(scratch.results.begin(), end, nearer);
  const std::size_t n =
      std::min(static_cast<std::size_t>(end - scratch.results.begin()), out.size());
  std::copy_n(scratch.results.begin(), n, out.begin());
  return n;
}

std::size_t Graph::search(const SearchRequest& request, std::span<Found> out,
                          SearchCounters& counters) const {
  const GraphState& g = *state_;
  const std::size_t k = std::min(request.k, out.size());
  if (k == 0 || live() == 0) {
    counters.path = SearchPath::kEmpty;
    return 0;
  }
  if (request.accept != nullptr) {
    const double share =
        request.selectivity >= 0 ? request.selectivity : sampled_selectivity(g, *request.accept);
    if (share < kScanSelectivity) return scan(request, out, counters);
  }
  const std::size_t ef = std::max(request.ef, k);
  bool filtered = false;
  std::size_t n = 0;
  bool overtaken = true;
  {
    const BorrowedScratch scratch(g.scratches);
    for (int walks = 0; overtaken && walks < kMostWalks; ++walks) {
      const Walk w = walk(g, request, live_beam(g, ef, k), rerank_count(g, k), *scratch);
      filtered = w.filtered;
      n = write_results(g, request, w.found, w.began, out.first(k), overtaken, *scratch);
      overtaken = overtaken || w.overtaken;
    }
    add_counters(counters, *scratch,
                 request.accept != nullptr ? SearchPath::kFilteredGraph : SearchPath::kGraph);
  }
  if (overtaken) return scan(request, out, counters);
  // A bounded walk among nodes that mostly do not count can end early: the scan cannot.
  if (filtered && n < std::min<std::uint64_t>(k, live())) return scan(request, out, counters);
  return n;
}

std::vector<Found> Graph::search_radius(const SearchRequest& request, float radius,
                                        SearchCounters& counters) const {
  const GraphState& g = *state_;
  std::vector<Found> found;
  if (live() == 0) return found;
  // Doubles the beam until its farthest candidate lies beyond the radius.
  int walks_overtaken = 0;
  for (std::size_t ef = std::max<std::size_t>(request.ef, 16);; ef *= 2) {
    const BorrowedScratch scratch(g.scratches);
    const Walk w = walk(g, request, ef, ef, *scratch);
    found.resize(w.found);
    bool overtaken = false;
    found.resize(write_results(g, request, w.found, w.began, found, overtaken, *scratch));
    add_counters(counters, *scratch,
                 request.accept != nullptr ? SearchPath::kFilteredGraph : SearchPath::kGraph);
    if (overtaken || w.overtaken) {
      if (++walks_overtaken == kMostWalks) return scan_radius(request, radius, counters);
      ef /= 2;
      continue;
    }
    const bool beam_was_full = w.found >= ef;
    // As in search(): a bounded walk can end before it has met all that count.
    if (w.filtered && w.found < std::min<std::uint64_t>(ef, live())) {
      return scan_radius(request, radius, counters);
    }
    if (!beam_was_full || found.empty() || found.back().distance > radius || ef >= live()) break;
  }
  const auto end =
      std::find_if(found.begin(), found.end(), [&](const Found& f) { return f.distance > radius; });
  found.erase(end, found.end());
  if (request.k > 0 && found.size() > request.k) found.resize(request.k);
  return found;
}

}  // namespace vicinal::graph
