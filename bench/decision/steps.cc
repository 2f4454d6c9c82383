#include "bench/decision/steps.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "tools/interrupt.h"

namespace vicinal::bench {
namespace {

// A batch of this many rows is generated and added at a time: 15 MiB at 384 dimensions.
constexpr std::uint64_t kGrowth = 10'000;

/// Upserts single rows until `stop`, or `most` of them.
Status stream_of_inserts(Index index, const Settings& settings, const Vectors& vectors,
                         std::uint64_t most, const std::atomic<bool>& stop, Label* next) {
  const std::uint32_t dimension = settings.dimension;
  constexpr std::uint64_t kBlock = 256;
  for (std::uint64_t done = 0; done < most && !stop.load();) {
    const std::vector<float> rows = vectors.rows(*next, kBlock);
    for (std::uint64_t i = 0; i < kBlock && done < most && !stop.load(); ++i, ++done) {
      const auto upserted =
          index.upsert((*next)++, std::span(rows).subspan(i * dimension, dimension));
      if (!upserted.ok()) return upserted.status();
    }
  }
  return {};
}

Result<Json> time_batches(Index index, const Settings& settings, const Vectors& vectors,
                          Label* next) {
  std::vector<double> seconds;
  for (std::uint64_t i = 0; i < settings.batches; ++i) {
    const std::vector<Label> labels = counted_labels(*next, settings.batch);
    const std::vector<float> rows = vectors.rows(*next, settings.batch);
    *next += settings.batch;
    const Clock::time_point start = Clock::now();
    const Result<BatchResult> done = index.upsert_batch(labels, rows, interruptible());
    seconds.push_back(seconds_since(start));
    if (!done.ok()) return done.status();
  }
  return Json(seconds);
}

Result<Latencies> time_singles(Index index, const Settings& settings, const Vectors& vectors,
                               Label* next) {
  Latencies latencies;
  const std::vector<float> rows = vectors.rows(*next, settings.singles);
  for (std::uint64_t i = 0; i < settings.singles; ++i) {
    const Clock::time_point start = Clock::now();
    const auto upserted = index.upsert(
        (*next)++, std::span(rows).subspan(i * settings.dimension, settings.dimension));
    latencies.add(seconds_since(start));
    if (!upserted.ok()) return upserted.status();
  }
  return latencies;
}

}  // namespace

BatchOptions interruptible() {
  BatchOptions options;
  options.progress = until_interrupted();
  return options;
}

Status grow(Index index, const Vectors& vectors, std::uint64_t from, std::uint64_t to) {
  while (from < to) {
    const std::uint64_t count = std::min(kGrowth, to - from);
    const Result<BatchResult> done =
        index.upsert_batch(counted_labels(from, count), vectors.rows(from, count), interruptible());
    if (!done.ok()) return done.status();
    from += count;
  }
  return {};
}

Json summary(const Latencies& latencies) {
  return {{"count", latencies.count()},
          {"mean_us", rounded(latencies.mean_us(), 1)},
          {"p50_us", rounded(latencies.percentile_us(0.5), 1)},
          {"p99_us", rounded(latencies.percentile_us(0.99), 1)},
          {"max_us", rounded(latencies.percentile_us(1), 1)}};
}

Result<Latencies> time_searches(const Index& index, const Settings& settings,
                                const std::vector<float>& queries, std::size_t least,
                                const std::function<bool()>& go_on) {
  Latencies latencies;
  const std::size_t rows = queries.size() / settings.dimension;
  std::vector<Hit> hits(settings.k);
  const SearchOptions options = {.k = settings.k, .ef_search = settings.ef_search};
  for (std::size_t i = 0; i < least || go_on(); ++i) {
    const auto query =
        std::span(queries).subspan(i % rows * settings.dimension, settings.dimension);
    const Clock::time_point start = Clock::now();
    const Result<std::size_t> found = index.search_into(query, options, hits);
    latencies.add(seconds_since(start));
    if (!found.ok()) return found.status();
  }
  return latencies;
}

Result<Latencies> time_idle_searches(const Index& index, const Settings& settings,
                                     const std::vector<float>& queries) {
  const auto never = [] { return false; };
  Result<Latencies> cold = time_searches(index, settings, queries, settings.queries, never);
  if (!cold.ok()) return cold;
  const Clock::time_point start = Clock::now();
  return time_searches(index, settings, queries, settings.queries, [&] {
    return seconds_since(start) < settings.window_s && !tools::interrupted();
  });
}

Result<Latencies> time_searches_beside(
    const Index& index, const Settings& settings, const std::vector<float>& queries,
    const std::function<Result<bool>(const std::atomic<bool>& stop)>& work) {
  std::atomic<bool> stop{false};
  std::atomic<bool> ended{false};
  Status outcome;
  std::thread worker([&] {
    while (!stop.load()) {
      const Result<bool> again = work(stop);
      if (!again.ok()) outcome = again.status();
      if (!again.ok() || !*again) break;
    }
    ended.store(true);
  });
  const Clock::time_point start = Clock::now();
  Result<Latencies> latencies = time_searches(index, settings, queries, 0, [&] {
    return !ended.load() && seconds_since(start) < settings.window_s && !tools::interrupted();
  });
  stop.store(true);
  worker.join();
  if (!outcome.ok()) return outcome;
  return latencies;
}

Result<double> recall_of(const Index& index, const Settings& settings,
                         const std::vector<float>& queries) {
  SearchOptions options = {.k = settings.k, .ef_search = settings.ef_search};
  const auto found = index.search_batch(queries, options);
  if (!found.ok()) return found.status();
  options.exact = true;
  const auto exact = index.search_batch(queries, options);
  if (!exact.ok()) return exact.status();
  std::uint64_t right = 0;
  std::uint64_t all = 0;
  for (std::size_t q = 0; q < exact->size(); ++q) {
    all += (*exact)[q].size();
    for (const Hit& hit : (*exact)[q]) {
      const auto& hits = (*found)[q].hits;
      right += std::any_of(hits.begin(), hits.end(),
                           [&](const Hit& other) { return other.label == hit.label; });
    }
  }
  return all == 0 ? 1.0 : static_cast<double>(right) / static_cast<double>(all);
}

Result<Json> measure_incremental(Index index, const Settings& settings, const Vectors& vectors,
                                 const std::vector<float>& queries, Label* next) {
  const Label first = *next;
  const std::uint64_t size = index.size();
  Result<Json> batches = time_batches(index, settings, vectors, next);
  if (!batches.ok()) return batches.status();
  Result<Latencies> singles = time_singles(index, settings, vectors, next);
  if (!singles.ok()) return singles.status();
  // So many inserts at most that the index stays about as large as the table says.
  const std::uint64_t most = std::max<std::uint64_t>(100, size / 5);
  std::uint64_t streamed = 0;
  const Label before = *next;
  Result<Latencies> beside = time_searches_beside(
      index, settings, queries, [&](const std::atomic<bool>& stop) -> Result<bool> {
        const Status status = stream_of_inserts(index, settings, vectors, most, stop, next);
        streamed = *next - before;
        if (!status.ok()) return status;
        return false;
      });
  if (!beside.ok()) return beside.status();
  const Result<std::uint64_t> erased = index.erase_batch(counted_labels(first, *next - first));
  if (!erased.ok()) return erased.status();
  return Json{{"batch_s", median(batches->get<std::vector<double>>())},
              {"batches_s", *batches},
              {"single", summary(*singles)},
              {"search_beside_inserts", summary(*beside)},
              {"inserts_beside", streamed}};
}

double reset_peak_rss_mb() {
  std::ofstream("/proc/self/clear_refs") << "5";
  return peak_rss_mb();
}

}  // namespace vicinal::bench
