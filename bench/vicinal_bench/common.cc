#include "bench/vicinal_bench/common.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "tools/interrupt.h"
#include "tools/names.h"
#include "tools/report.h"

namespace vicinal::bench {

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Status check_interrupted() {
  return tools::interrupted() ? Status::cancelled("interrupted") : Status();
}

ProgressCallback until_interrupted() {
  return [](const Progress&) { return !tools::interrupted(); };
}

std::function<bool(std::uint64_t)> until_interrupted(tools::ProgressBar& bar) {
  return [&bar](std::uint64_t done) {
    bar.update(done);
    return !tools::interrupted();
  };
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

void add_real_list(CLI::App& app, const std::string& name, std::vector<double>& target,
                   tools::RealRange range, const std::string& help) {
  const CLI::callback_t read = [&target, name, range](const CLI::results_t& given) {
    std::vector<double> values;
    std::string_view text = given.front();
    for (bool more = true; more;) {
      const std::size_t end = text.find(',');
      const std::string_view part = text.substr(0, end);
      double value = 0;
      const auto [stop, error] = std::from_chars(part.data(), part.data() + part.size(), value);
      const bool number = error == std::errc() && stop == part.data() + part.size();
      if (!number || !(value >= range.low && value <= range.high)) {
        throw CLI::ValidationError(
            name, fmt::format("\"{}\" is not a number from {} to {}", part, range.low, range.high));
      }
      values.push_back(value);
      more = end != std::string_view::npos;
      if (more) text.remove_prefix(end + 1);
    }
    target = std::move(values);
    return true;
  };
  app.add_option(name, read, help)
      ->type_name("NUMBER,NUMBER,...")
      ->default_str(fmt::format("{}", fmt::join(target, ",")));
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
  return index.checkpoint(until_interrupted());
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
  if (Status s = check_interrupted(); !s.ok()) return s;
  return matrix;
}

Status check_truth(const matrix::Truth& truth, const std::string& path, std::uint64_t rows) {
  for (std::uint64_t r = 0; r < truth.rows; ++r) {
    for (const std::int32_t neighbor : truth.row(r)) {
      if (neighbor >= 0 && static_cast<std::uint64_t>(neighbor) < rows) continue;
      return Status::invalid_argument(
          fmt::format("{}: row {}: neighbor {}, the base has {} rows, 0 to {}", path, r, neighbor,
                      rows, static_cast<std::int64_t>(rows) - 1));
    }
  }
  return {};
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
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double rounded(double value, int digits) {
  const double scale = std::pow(10.0, digits);
  return std::round(value * scale) / scale;
}

Status print_line(const Json& json) {
  const std::string line = tools::json_text(json) + "\n";
  const bool taken = std::fwrite(line.data(), 1, line.size(), stdout) == line.size();
  if (taken && std::fflush(stdout) == 0) return {};
  return Status::io_error(fmt::format("standard output: {}", std::strerror(errno)));
}

int print_error(const Status& status) {
  std::fflush(stdout);
  fmt::print(stderr, "vicinal-bench: {}\n", status.to_string());
  return 1;
}

}  // namespace vicinal::bench
