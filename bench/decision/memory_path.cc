#include <fmt/core.h>

#include <cstdio>

#include "bench/decision/measure.h"
#include "bench/decision/steps.h"

namespace vicinal::bench {

Status measure_memory(const Settings& settings, const Vectors& vectors, Record* record) {
  const std::string shape = shape_name(vectors.shape());
  const std::vector<float> queries = vectors.queries(settings.queries);
  Result<Index> index = Index::in_memory(settings.index_options(false));
  if (!index.ok()) return index.status();
  std::uint64_t have = 0;
  double grown_s = 0;
  Label next = kFirstExtra;
  for (const std::uint64_t size : settings.sizes) {
    // From the growth until now; links cost a little more in a larger graph.
    const double factor =
        have == 0 ? 0 : static_cast<double>(size - have) / static_cast<double>(have);
    const double expected = 1.2 * grown_s * factor + 3 * settings.window_s;
    if (!record->fits(shape, "memory", size, expected)) continue;
    fmt::print(stderr, "{}: {} vectors in memory\n", shape, size);
    const Clock::time_point start = Clock::now();
    if (Status s = grow(*index, vectors, have, size); !s.ok()) return s;
    grown_s += seconds_since(start);
    have = size;
    Result<Latencies> idle = time_idle_searches(*index, settings, queries);
    if (!idle.ok()) return idle.status();
    Result<Json> done = measure_incremental(*index, settings, vectors, queries, &next);
    if (!done.ok()) return done.status();
    // What was erased would lengthen the walks of the next size.
    const Result<RepairResult> repaired = index->repair();
    if (!repaired.ok()) return repaired.status();
    if (Status s = check_interrupted(); !s.ok()) return s;
    record->at(shape, size)["memory"] = {{"incremental", *done}, {"search_idle", summary(*idle)}};
    if (Status s = record->save(); !s.ok()) return s;
  }
  return {};
}

}  // namespace vicinal::bench
