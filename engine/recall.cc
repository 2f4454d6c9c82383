// recall: how often search() returns what an exact search does, on a sample of the index itself.
#include <algorithm>
#include <atomic>
#include <random>

#include "engine/base/check.h"
#include "engine/base/mutex.h"
#include "engine/count_found.h"
#include "engine/reader.h"
#include "engine/vector_check.h"

namespace vicinal::engine {
namespace {

/// `count` of `labels`, drawn by `seed`.
std::vector<Label> draw(std::vector<Label> labels, std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::size_t taken = std::min(count, labels.size());
  for (std::size_t i = 0; i < taken; ++i) {
    std::swap(labels[i], labels[i + random() % (labels.size() - i)]);
  }
  labels.resize(taken);
  return labels;
}

/// The k nearest but `own`.
std::vector<Hit> without(const SearchResult& result, Label own, std::size_t k) {
  std::vector<Hit> hits;
  for (const Hit& hit : result) {
    if (hit.label != own && hits.size() < k) hits.push_back(hit);
  }
  return hits;
}

}  // namespace

Result<double> Reader::recall(const RecallOptions& options) const {
  const Gate::Pass pass(state_.gate);
  if (!pass) return state_.closed_status();
  if (options.k == 0) return Status::invalid_argument("recall of k 0: k must be at least 1");
  std::vector<Label> labels = live_labels();
  const std::size_t k = std::min(options.k, labels.size());
  std::sort(labels.begin(), labels.end());  // what is drawn depends on the seed and on them alone
  labels = draw(std::move(labels), options.samples, options.seed);

  SearchOptions walk;
  walk.k = k + 1;
  walk.ef_search = options.ef_search;
  SearchOptions exhaustive = walk;
  exhaustive.exact = true;
  std::atomic<std::uint64_t> wanted{0};
  std::atomic<std::uint64_t> found{0};
  internal::Mutex mutex;
  Status first_error;
  const auto failed = [&](const Status& status) {
    const internal::MutexLock lock(mutex);
    if (first_error.ok()) first_error = status;
  };
  state_.workers(options.threads).for_each(labels.size(), 1, [&](std::size_t i) {
    const Result<std::vector<float>> query = get(labels[i]);
    if (query.status().code() == StatusCode::kNotFound) return;  // erased meanwhile
    if (!query) return failed(query.status());
    // Rows of earlier releases may be longer than queries may be.
    if (!check_vector(state_.graph->kernels(), state_.options.metric, state_.options.dimension,
                      *query)
             .ok()) {
      return;
    }
    const Result<SearchResult> exact = search(*query, exhaustive);
    const Result<SearchResult> walked = search(*query, walk);
    if (!exact || !walked) return failed(exact ? walked.status() : exact.status());
    const std::vector<Hit> truth = without(*exact, labels[i], k);
    if (truth.empty()) return;
    wanted += truth.size();
    found += count_found<Hit>(without(*walked, labels[i], k), truth);
  });
  if (!first_error.ok()) return first_error;
  if (wanted.load() == 0) return 1.0;
  return static_cast<double>(found.load()) / static_cast<double>(wanted.load());
}

}  // namespace vicinal::engine
