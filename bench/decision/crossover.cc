#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "bench/decision/measure.h"
#include "bench/decision/steps.h"

namespace vicinal::bench {
namespace {

/// The column of the table that a batch belongs to: a number of rows or a share of the index.
struct BatchSize {
  const char* name;
  std::uint64_t rows;
  std::uint64_t percent;

  std::uint64_t of(std::uint64_t size) const {
    return percent == 0 ? rows : std::max<std::uint64_t>(1, size * percent / 100);
  }
};

constexpr BatchSize kBatches[] = {{"1", 1, 0},        {"10", 10, 0},   {"100", 100, 0},
                                  {"1,000", 1000, 0}, {"10 %", 0, 10}, {"50 %", 0, 50}};

/// Seconds of a batch on a fresh index of `size` rows.
Result<double> time_batch(const Settings& settings, const Vectors& vectors, std::uint64_t size,
                          std::uint64_t batch, bool rebuild) {
  Result<Index> index = Index::in_memory(settings.index_options(rebuild));
  if (!index.ok()) return index.status();
  const Result<BatchResult> filled =
      index->upsert_batch(counted_labels(0, size), vectors.rows(0, size), interruptible());
  if (!filled.ok()) return filled.status();
  const std::vector<float> rows = vectors.rows(size, batch);
  const std::vector<Label> labels = counted_labels(size, batch);
  const Clock::time_point start = Clock::now();
  const Result<BatchResult> done = index->upsert_batch(labels, rows, interruptible());
  if (!done.ok()) return done.status();
  return seconds_since(start);
}

/// The median of several turns, so that small indexes are not decided by one hiccup.
Result<double> typical(const Settings& settings, const Vectors& vectors, std::uint64_t size,
                       std::uint64_t batch, bool rebuild, int turns) {
  std::vector<double> seconds;
  for (int turn = 0; turn < turns; ++turn) {
    const Result<double> one = time_batch(settings, vectors, size, batch, rebuild);
    if (!one.ok()) return one.status();
    seconds.push_back(*one);
  }
  return median(seconds);
}

}  // namespace

Status measure_crossover(const Settings& settings, const Vectors& vectors, Record* record) {
  const std::string shape = shape_name(vectors.shape());
  double last_s = 0;
  std::uint64_t last_size = 0;
  for (const std::uint64_t size : settings.crossover_sizes) {
    const double expected =
        last_size == 0 ? 0
                       : 1.2 * last_s * static_cast<double>(size) / static_cast<double>(last_size);
    if (!record->fits(shape, "crossover", size, expected)) continue;
    fmt::print(stderr, "{}: crossover at {} vectors\n", shape, size);
    const Clock::time_point start = Clock::now();
    Json lines = Json::array();
    for (const BatchSize& batch : kBatches) {
      const std::uint64_t rows = batch.of(size);
      const int turns = size + rows <= 500 ? 5 : size + rows <= 2000 ? 3 : 1;
      const Result<double> incremental = typical(settings, vectors, size, rows, false, turns);
      if (!incremental.ok()) return incremental.status();
      const Result<double> rebuild = typical(settings, vectors, size, rows, true, turns);
      if (!rebuild.ok()) return rebuild.status();
      lines.push_back({{"shape", shape},
                       {"size", size},
                       {"batch", batch.name},
                       {"rows", rows},
                       {"turns", turns},
                       {"incremental_s", *incremental},
                       {"rebuild_s", *rebuild}});
    }
    last_s = seconds_since(start);
    last_size = size;
    for (Json& line : lines) record->crossover().push_back(std::move(line));
    if (Status s = record->save(); !s.ok()) return s;
  }
  return {};
}

}  // namespace vicinal::bench
