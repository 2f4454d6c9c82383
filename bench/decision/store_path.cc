#include <fmt/core.h>

#include <cstdio>
#include <filesystem>

#include "bench/common/scratch_folder.h"
#include "bench/decision/measure.h"
#include "bench/decision/steps.h"

namespace vicinal::bench {
namespace {

constexpr const char* kIndexName = "decision";

Result<Bench> open_durable(const std::string& path, const IndexOptions& options,
                           Durability durability) {
  StoreOptions store_options;
  store_options.durability = durability;
  Result<Store> store = Store::open(path, store_options);
  if (!store.ok()) return store.status();
  Result<Index> index = store->index(kIndexName, options);
  if (!index.ok()) return index.status();
  return Bench{std::move(*store), std::move(*index)};
}

/// One batch under rebuild_on_upsert: seconds, memory, and the recall of what came out of it.
Result<Json> measure_rebuild(Index index, const Settings& settings, const Vectors& vectors,
                             const std::vector<float>& queries, Label next) {
  const std::vector<Label> labels = counted_labels(next, settings.batch);
  const std::vector<float> rows = vectors.rows(next, settings.batch);
  const double before_mb = reset_peak_rss_mb();
  const Clock::time_point start = Clock::now();
  const Result<BatchResult> done = index.upsert_batch(labels, rows, interruptible());
  const double seconds = seconds_since(start);
  const double peak_mb = peak_rss_mb();
  if (!done.ok()) return done.status();
  const Result<double> recall = recall_of(index, settings, queries);
  if (!recall.ok()) return recall.status();
  const Stats stats = index.stats();
  return Json{{"batch_s", seconds},
              {"rows_after", stats.live},
              {"peak_extra_mb", rounded(std::max(0.0, peak_mb - before_mb), 1)},
              {"index_mb", rounded(static_cast<double>(stats.bytes_in_memory()) / 1048576, 1)},
              {"disk_mb", rounded(static_cast<double>(stats.bytes_disk) / 1048576, 1)},
              {"recall", *recall}};
}

Result<Json> searches_beside_rebuild(Index index, const Settings& settings,
                                     const std::vector<float>& queries) {
  Result<Latencies> latencies = time_searches_beside(
      index, settings, queries, [&](const std::atomic<bool>& stop) -> Result<bool> {
        BatchOptions options;
        options.progress = [&stop](const Progress&) { return !stop.load(); };
        const Status status = index.rebuild(options);
        if (status.ok() || status.code() == StatusCode::kCancelled) return true;
        return status;
      });
  if (!latencies.ok()) return latencies.status();
  return summary(*latencies);
}

/// Everything that changes the index, on a copy of its store.
Status measure_copy(const std::string& path, const Settings& settings, const Vectors& vectors,
                    const std::vector<float>& queries, Json* out) {
  Label next = kFirstExtra;
  {
    Result<Bench> copy = open_durable(path, settings.index_options(false), Durability::kFull);
    if (!copy.ok()) return copy.status();
    Result<Json> done = measure_incremental(copy->index, settings, vectors, queries, &next);
    if (!done.ok()) return done.status();
    (*out)["incremental"] = *done;
    if (Status s = copy->store->close(); !s.ok()) return s;
  }
  Result<Bench> copy = open_durable(path, settings.index_options(true), Durability::kFull);
  if (!copy.ok()) return copy.status();
  Result<Json> rebuilt = measure_rebuild(copy->index, settings, vectors, queries, next);
  if (!rebuilt.ok()) return rebuilt.status();
  (*out)["rebuild"] = *rebuilt;
  Result<Json> beside = searches_beside_rebuild(copy->index, settings, queries);
  if (!beside.ok()) return beside.status();
  (*out)["search_beside_rebuild"] = *beside;
  return copy->store->close();
}

Status measure_size(const Bench& bench, std::uint64_t size, const std::string& folder,
                    const Settings& settings, const Vectors& vectors, Json* out) {
  const std::vector<float> queries = vectors.queries(settings.queries);
  Result<Latencies> idle = time_idle_searches(bench.index, settings, queries);
  if (!idle.ok()) return idle.status();
  (*out)["search_idle"] = summary(*idle);
  const Result<double> recall = recall_of(bench.index, settings, queries);
  if (!recall.ok()) return recall.status();
  (*out)["recall_incremental"] = *recall;
  Index index = bench.index;
  if (Status s = index.checkpoint(); !s.ok()) return s;
  const std::string path = fmt::format("{}/copy-{}", folder, size);
  if (Status s = bench.store->backup(path); !s.ok()) return s;
  const Status status = measure_copy(path, settings, vectors, queries, out);
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
  return status;
}

}  // namespace

Status measure_store(const Settings& settings, const Vectors& vectors, Record* record) {
  const std::string shape = shape_name(vectors.shape());
  const ScratchFolder scratch(settings.scratch, "vicinal-decision");
  if (scratch.path().empty()) {
    return Status::io_error(fmt::format("{}: no folder can be made there", settings.scratch));
  }
  Result<Bench> bench =
      open_durable(scratch.path() + "/grown", settings.index_options(false), Durability::kNone);
  if (!bench.ok()) return bench.status();
  std::uint64_t have = 0;
  double last_rebuild_s = 0;
  for (const std::uint64_t size : settings.sizes) {
    // From the last size: links of the new rows, the rebuild of all, and the searches beside. Links
    // cost a little more in a larger graph.
    const double factor =
        have == 0 ? 0 : static_cast<double>(2 * size - have) / static_cast<double>(have);
    const double expected = 1.2 * last_rebuild_s * factor + 5 * settings.window_s;
    if (!record->fits(shape, "store", size, expected)) continue;
    fmt::print(stderr, "{}: {} vectors in a store\n", shape, size);
    const Clock::time_point start = Clock::now();
    if (Status s = grow(bench->index, vectors, have, size); !s.ok()) return s;
    Json store = {{"grown_by", size - have}, {"grown_s", seconds_since(start)}};
    have = size;
    Status s = measure_size(*bench, size, scratch.path(), settings, vectors, &store);
    if (s.ok()) s = check_interrupted();
    if (!s.ok()) return s;
    last_rebuild_s = store["rebuild"]["batch_s"].get<double>();
    record->at(shape, size)["store"] = store;
    if (Status saved = record->save(); !saved.ok()) return saved;
  }
  return bench->store->close();
}

}  // namespace vicinal::bench
