#include "engine/recall_sampler.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "graph/row_codec.h"

namespace vicinal::engine {
namespace {

using graph::Found;
using graph::kNoNode;
using graph::Moment;
using graph::NodeId;
using graph::SearchRequest;

// A walk that stands for a scan.
std::size_t width_of_truth(std::size_t k) { return 1024 + 2 * k; }

// Of the `depth` nearest, whose farthest is `truth`'s, how many `found` has: ties count, whichever
// was returned.
float share_found(std::span<const Found> found, std::span<const Found> truth, std::size_t depth) {
  depth = std::min(depth, truth.size());
  const float farthest = truth[depth - 1].distance;
  const auto beyond = std::find_if(found.begin(), found.end(),
                                   [&](const Found& f) { return f.distance > farthest; });
  const auto right = static_cast<std::size_t>(beyond - found.begin());
  return static_cast<float>(std::min(right, depth)) / static_cast<float>(depth);
}

std::uint64_t mixed(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

std::vector<Found> RecallSampler::nearest(const Moment& moment, SearchRequest request,
                                          std::size_t k, std::size_t ef, bool scan) const {
  // A walk that leaves the vector itself out may still come by it where it has copies.
  std::vector<Found> found(k + 1);
  request.k = k + 1;
  request.ef = std::max(ef, k + 1);
  SearchCounters counters;
  const std::size_t count = scan ? state_.graph->scan(moment, request, found, counters)
                                 : state_.graph->search(moment, request, found, counters);
  found.resize(count);
  std::erase_if(found, [&](const Found& f) { return f.node == request.without; });
  if (found.size() > k) found.resize(k);
  return found;
}

std::optional<RecallSample> RecallSampler::sample(const Moment& moment, SearchRequest request,
                                                  std::size_t depths, Truth truth) const {
  const std::size_t deepest = kRecallSteps[depths - 1];
  const std::vector<Found> right =
      nearest(moment, request, deepest, width_of_truth(deepest), truth == Truth::kScan);
  if (right.empty()) return std::nullopt;
  RecallSample sample;
  sample.depths = depths;
  sample.widths = kRecallSteps.size();
  bool all = false;
  std::vector<Found> found;
  for (std::size_t width = 0; width < sample.widths; ++width) {
    const std::size_t reached = std::min(width + 1, depths);
    if (!all) {
      found.resize(std::min<std::size_t>(kRecallSteps[width], deepest));
      request.k = found.size();
      request.ef = kRecallSteps[width];
      SearchCounters counters;
      found.resize(state_.graph->search(moment, request, found, counters));
      std::erase_if(found, [&](const Found& f) { return f.node == request.without; });
    }
    float least = 1;
    for (std::size_t depth = 0; depth < reached; ++depth) {
      const float share = all ? 1.0f : share_found(found, right, kRecallSteps[depth]);
      sample.found[width][depth] = share;
      least = std::min(least, share);
    }
    all = all || (reached == depths && least == 1.0f);
  }
  return sample;
}

NodeId RecallSampler::draw(const Moment& moment, StoredRows* rows, std::uint64_t number,
                           std::vector<float>& vector) const {
  const std::uint64_t slots = state_.graph->node_limit();
  constexpr std::uint64_t kTries = 256;  // some slots are empty, or dead
  for (std::uint64_t i = 0; slots > 0 && i < kTries; ++i) {
    const NodeId node{static_cast<std::uint32_t>(mixed(number * kTries + i) % slots)};
    // A node of a higher level would be where the walk begins.
    if (!moment.counts(node) || state_.graph->level(node) > 0) continue;
    const std::byte* const row = state_.row(node, rows);
    if (row == nullptr) continue;
    vector.resize(state_.options.dimension);
    state_.graph->codec().decode(row, vector.data());
    return node;
  }
  return kNoNode;
}

std::optional<RecallSample> RecallSampler::own_vector(std::uint64_t number, std::size_t depths,
                                                      Truth truth) const {
  const Gate::Pass pass(state_.gate);
  if (!pass) return std::nullopt;
  const std::unique_ptr<StoredRows> rows = state_.rows();
  const Moment moment(*state_.graph);
  std::vector<float> vector;
  SearchRequest request;
  request.without = draw(moment, rows.get(), number, vector);
  if (request.without == kNoNode) return std::nullopt;
  request.query = vector.data();
  request.rows = rows.get();
  return sample(moment, request, depths, truth);
}

std::optional<RecallSample> RecallSampler::query(std::span<const float> query, std::size_t depths,
                                                 Truth truth) const {
  const Gate::Pass pass(state_.gate);
  if (!pass) return std::nullopt;
  const std::unique_ptr<StoredRows> rows = state_.rows();
  const Moment moment(*state_.graph);
  SearchRequest request;
  request.query = query.data();
  request.rows = rows.get();
  return sample(moment, request, depths, truth);
}

bool RecallSampler::walk_finds_all(std::size_t depths) const {
  constexpr std::size_t kQueries = 16;
  const std::size_t deepest = kRecallSteps[depths - 1];
  std::atomic<std::size_t> missed{0};
  std::atomic<std::size_t> sought{0};
  state_.workers(0).for_each(kQueries, 1, [&](std::size_t i) {
    const Gate::Pass pass(state_.gate);
    if (!pass) return;
    const std::unique_ptr<StoredRows> rows = state_.rows();
    const Moment moment(*state_.graph);
    std::vector<float> vector;
    SearchRequest request;
    request.without = draw(moment, rows.get(), ~std::uint64_t{i}, vector);
    if (request.without == kNoNode) return;
    request.query = vector.data();
    request.rows = rows.get();
    const std::vector<Found> right = nearest(moment, request, deepest, 0, true);
    const std::vector<Found> found =
        nearest(moment, request, deepest, width_of_truth(deepest), false);
    if (right.empty()) return;
    sought += right.size();
    missed += right.size() - static_cast<std::size_t>(share_found(found, right, right.size()) *
                                                          static_cast<float>(right.size()) +
                                                      0.5f);
  });
  return missed * 1000 <= sought;
}

}  // namespace vicinal::engine
