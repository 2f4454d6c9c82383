#include "bench/vicinal_bench/common.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <thread>

#include "tools/arguments.h"
#include "tools/names.h"
#include "tools/progress.h"
#include "tools/report.h"

namespace vicinal::bench {

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

IndexOptions IndexArguments::options(std::uint32_t dimension) const {
  IndexOptions options;
  options.dimension = dimension;
  options.metric = metric.value_or(options.metric);
  options.M = M;
  options.ef_construction = ef_construction;
  options.quantization = quantization.value_or(options.quantization);
  options.storage = storage.value_or(options.storage);
  options.seed = seed;
  options.threads = threads;
  return options;
}

unsigned IndexArguments::thread_count() const {
  return threads != 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
}

void add_index_arguments(CLI::App& app, IndexArguments& arguments) {
  tools::add_metric(app, arguments.metric);
  tools::add_whole(app, "--M", arguments.M, {4, 64}, "Links per node")->capture_default_str();
  tools::add_whole(app, "--ef-construction", arguments.ef_construction, {4, 10000},
                   "Candidates per insert")
      ->capture_default_str();
  tools::add_quantization(app, arguments.quantization);
  tools::add_storage(app, arguments.storage);
  tools::add_whole(app, "--threads", arguments.threads, tools::kThreads,
                   "Threads of builds (default: one per CPU)");
  tools::add_whole(app, "--seed", arguments.seed, {}, "Seed of the index")->capture_default_str();
  tools::add_text(app, "--store", arguments.store, "Folder of an LMDB store (default: in memory)");
  tools::add_durability(app, arguments.durability);
}

Result<Bench> make_bench(const IndexArguments& arguments, const IndexOptions& options,
                         const std::string& name) {
  if (arguments.store.empty()) {
    Result<Index> index = Index::in_memory(options);
    if (!index.ok()) return index.status();
    return Bench{std::nullopt, std::move(*index)};
  }
  StoreOptions store_options;
  store_options.durability = arguments.durability;
  Result<Store> store = Store::open(arguments.store, store_options);
  if (!store.ok()) return store.status();
  Result<Index> index = store->index(name, options);
  if (!index.ok()) return index.status();
  if (index->size() != 0) {
    return Status::invalid_argument(
        fmt::format("{}: index {} holds {} vectors, a fresh one is "
                    "measured",
                    arguments.store, name, index->size()));
  }
  return Bench{std::move(*store), std::move(*index)};
}

Status preload(Index& index, const matrix::Matrix& base, std::uint64_t rows,
               const std::string& words) {
  if (rows > 0) {
    tools::ProgressBar bar(words, rows, "rows");
    BatchOptions batch;
    batch.progress = bar.callback_from(0);
    Result<BatchResult> loaded =
        index.upsert_batch(counted_labels(0, rows), base.range(0, rows), batch);
    if (!loaded.ok()) return loaded.status();
  }
  return index.checkpoint();
}

double Latencies::mean_us() const {
  if (seconds_.empty()) return 0;
  return std::accumulate(seconds_.begin(), seconds_.end(), 0.0) /
         static_cast<double>(seconds_.size()) * 1e6;
}

double Latencies::percentile_us(double part) const {
  if (seconds_.empty()) return 0;
  std::vector<double> sorted = seconds_;
  const auto rank = static_cast<std::ptrdiff_t>(part * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), sorted.begin() + rank, sorted.end());
  return sorted[static_cast<std::size_t>(rank)] * 1e6;
}

std::vector<Label> counted_labels(std::uint64_t first, std::uint64_t count) {
  std::vector<Label> labels(count);
  std::iota(labels.begin(), labels.end(), first);
  return labels;
}

Result<matrix::Matrix> load_rows(const std::string& path, std::uint64_t rows) {
  Result<matrix::Matrix> matrix =
      rows == 0 ? matrix::load(path) : matrix::load(path, std::optional(rows));
  if (matrix.ok() && !matrix->note.empty()) {
    fmt::print(stderr, "vicinal-bench: {}: {}\n", path, matrix->note);
  }
  if (matrix.ok() && matrix->rows < rows) {
    return Status::invalid_argument(
        fmt::format("{}: {} rows, {} are wanted", path, matrix->rows, rows));
  }
  if (matrix.ok() && matrix->rows == 0) {
    return Status::invalid_argument(fmt::format("{}: no rows", path));
  }
  return matrix;
}

std::string dataset_name(const std::string& path) {
  const std::filesystem::path absolute = std::filesystem::absolute(path);
  const std::string stem = absolute.stem().string();
  return stem == "base" ? absolute.parent_path().filename().string() : stem;
}

double peak_rss_mb() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "VmHWM:") continue;
    double kib = 0;
    status >> kib;
    return kib / 1024;
  }
  return 0;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

double rounded(double value, int digits) {
  const double scale = std::pow(10.0, digits);
  return std::round(value * scale) / scale;
}

void print_line(const Json& json) {
  fmt::print("{}\n", tools::json_text(json));
  std::fflush(stdout);
}

int print_error(const Status& status) {
  std::fflush(stdout);
  fmt::print(stderr, "vicinal-bench: {}\n", status.to_string());
  return 1;
}

}  // namespace vicinal::bench
