#include "engine/recall_sampler.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>

#include "engine/count_found.h"
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

}  // namespace

std::vector<Found> RecallSampler::seek(const Moment& moment, SearchRequest request, std::size_t k,
                                       std::size_t ef, bool scan) const {
  std::vector<Found> found(k);
  request.k = k;
  request.ef = ef;
  SearchCounters counters;
  found.resize(scan ? state_.graph->scan(moment, request, found, counters)
                    : state_.graph->search(moment, request, found, counters));
  // A walk that leaves the vector itself out may still come by it where it has copies.
  std::erase_if(found, [&](const Found& f) { return f.node == request.without; });
  return found;
}

std::vector<Found> RecallSampler::nearest(const Moment& moment, const SearchRequest& request,
                                          std::size_t k, Truth truth) const {
  std::vector<Found> found = seek(moment, request, k + 1, width_of_truth(k), truth == Truth::kScan);
  if (found.size() > k) found.resize(k);
  return found;
}

std::optional<RecallSample> RecallSampler::sample(const Moment& moment,
                                                  const SearchRequest& request, std::size_t depths,
                                                  Truth truth) const {
  const std::size_t deepest = kRecallSteps[depths - 1];
  const std::vector<Found> right = nearest(moment, request, deepest, truth);
  if (right.empty()) return std::nullopt;
  RecallSample sample;
  sample.depths = depths;
  bool all = false;  // found by a narrower walk
  for (std::size_t width = 0; width < kRecallSteps.size(); ++width) {
    const std::size_t reached = std::min(width + 1, depths);
    if (all) {
      std::fill_n(sample.found[width].begin(), reached, 1.0f);
      continue;
    }
    const std::size_t ef = kRecallSteps[width];
    const std::vector<Found> found = seek(moment, request, std::min(ef, deepest), ef, false);
    all = reached == depths;
    for (std::size_t depth = 0; depth < reached; ++depth) {
      const std::size_t wanted = std::min<std::size_t>(kRecallSteps[depth], right.size());
      const std::size_t hits = count_found<Found>(found, std::span(right).first(wanted));
      sample.found[width][depth] = static_cast<float>(hits) / static_cast<float>(wanted);
      all = all && hits == wanted;
    }
  }
  return sample;
}

NodeId RecallSampler::draw(const Moment& moment, StoredRows* rows, std::uint64_t number,
                           std::vector<float>& vector) const {
  const std::uint64_t slots = state_.graph->node_limit();
  std::mt19937_64 random(number);
  constexpr int kTries = 256;  // some slots are empty, or dead
  for (int i = 0; slots > 0 && i < kTries; ++i) {
    const NodeId node{static_cast<std::uint32_t>(random() % slots)};
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
    const std::vector<Found> right = nearest(moment, request, deepest, Truth::kScan);
    if (right.empty()) return;
    sought += right.size();
    missed +=
        right.size() - count_found<Found>(nearest(moment, request, deepest, Truth::kWalk), right);
  });
  return missed * 1000 <= sought;
}

}  // namespace vicinal::engine
