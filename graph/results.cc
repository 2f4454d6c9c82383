#include "graph/results.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "graph/scorer.h"

namespace vicinal::graph {

namespace {

double sampled_share(const GraphState& g, const Moment& moment,
                     const std::function<bool(Label)>& accept) {
  // Until enough passed, or so many were asked that a rare filter is told from a very rare one:
  // what passes often is known soon, and what is rare is worth the asking.
  constexpr std::uint64_t kEnough = 24;
  constexpr std::uint64_t kFewest = 200;
  const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
  if (limit == 0) return 1;
  const std::uint64_t most = std::clamp<std::uint64_t>(limit / 100, kFewest, 10 * kFewest);
  std::uint64_t counted = 0;
  std::uint64_t passing = 0;
  // A fixed stride with a large odd step visits slots evenly and needs no random state.
  for (std::uint64_t i = 0; i < 2 * most && counted < most; ++i) {
    if (passing >= kEnough && counted >= 2 * kEnough) break;
    const NodeId node{static_cast<std::uint32_t>(i * 2654435761ull % limit)};
    if (!moment.counts(node)) continue;
    ++counted;
    passing += accept(g.labels[node]) ? 1 : 0;
  }
  return (static_cast<double>(passing) + 0.5) / (static_cast<double>(counted) + 1);
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
  // Stands in for a row that is gone: rows that are elsewhere are no longer than floats.
  const auto* const none = reinterpret_cast<const std::byte*>(prepared);
  for (const std::byte*& row : scratch.rows) {
    if (row == nullptr) row = none;
  }
  exact_distances_of_rows(g, prepared, ids.data(), scratch.rows.data(), ids.size(), out);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (scratch.rows[i] == none) out[i] = std::numeric_limits<float>::infinity();
  }
  request.rows->release();  // filters may call the store, and the next walk may read late rows
}

double accepted_share(const GraphState& g, const Moment& moment, const SearchRequest& request) {
  if (request.accept == nullptr) return 1;
  if (request.selectivity >= 0) return request.selectivity;
  return sampled_share(g, moment, *request.accept);
}

}  // namespace vicinal::graph
