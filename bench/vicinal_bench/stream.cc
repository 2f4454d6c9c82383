// vicinal-bench stream: an index in memory is saved to bytes and loaded from them, against copying the
// same bytes into fresh memory by one thread; then its writes are paused again and again, beside a
// rebuild and beside batches.
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <thread>

#include "bench/vicinal_bench/common.h"
#include "bench/vicinal_bench/crew.h"
#include "tools/arguments.h"
#include "tools/names.h"

namespace vicinal::bench {
namespace {

struct StreamArguments {
  IndexArguments index;
  std::string base;
  std::uint64_t rows = 100'000;
  std::uint32_t dimension = 384;
  std::uint64_t repeats = 5;
};

Result<matrix::Matrix> rows_of(const StreamArguments& arguments) {
  if (!arguments.base.empty()) return load_rows(arguments.base, arguments.rows);
  matrix::Matrix random;
  random.rows = arguments.rows;
  random.dimension = arguments.dimension;
  random.values.resize(arguments.rows * arguments.dimension);
  std::mt19937_64 bits(arguments.index.seed);
  std::normal_distribution<float> component;
  for (float& value : random.values) value = component(bits);
  return random;
}

/// Every byte is written to memory that the process did not have before.
double copy_seconds(const std::vector<std::byte>& bytes) {
  const Clock::time_point start = Clock::now();
  const std::unique_ptr<std::byte[]> fresh(new std::byte[bytes.size()]);
  std::memcpy(fresh.get(), bytes.data(), bytes.size());
  // The copy is looked at, or it need not be made.
  volatile std::byte last = fresh[bytes.size() - 1];
  static_cast<void>(last);
  return seconds_since(start);
}

/// How long it takes until writes stand still, beside `work`, which goes on until it is told to stop:
/// what ended earlier would leave pauses of an index at rest among the figures.
Status pause_beside(const Index& index, const std::function<Status(const std::atomic<bool>&)>& work,
                    Latencies& pauses) {
  constexpr int kPauses = 200;
  std::atomic<bool> stop{false};
  Crew crew;
  crew.start([&] { return work(stop); });
  Status status;
  for (int i = 0; i < kPauses && status.ok(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const Clock::time_point start = Clock::now();
    const Result<PausedWrites> pause = index.pause_writes();
    pauses.add(seconds_since(start));
    status = pause.ok() ? check_interrupted() : pause.status();
  }
  stop.store(true);
  const Status worked = crew.join();
  return status.ok() ? worked : status;
}

Status measure_pauses(const StreamArguments& arguments, const matrix::Matrix& base, Index index) {
  Latencies rebuild;
  Latencies batch;
  std::uint64_t rebuilds = 0;
  Status status = pause_beside(
      index,
      [&](const std::atomic<bool>& stop) -> Status {
        BatchOptions options;
        options.threads = arguments.index.threads;
        options.progress = [&](const Progress&) { return !stop.load(); };
        // Again and again: one of a small index would be over long before the pauses are.
        while (!stop.load()) {
          ++rebuilds;
          Status rebuilt = index.rebuild(options);
          if (rebuilt.code() == StatusCode::kCancelled) break;
          if (!rebuilt.ok()) return rebuilt;
        }
        return {};
      },
      rebuild);
  if (!status.ok()) return status;
  // The rows again, in another order each time, so that all of them are linked anew.
  const std::uint64_t rows =
      std::max<std::uint64_t>(1, std::min<std::uint64_t>(20'000, base.rows / 2));
  const std::uint64_t second = std::min(rows, base.rows - rows);
  status = pause_beside(
      index,
      [&](const std::atomic<bool>& stop) -> Status {
        for (std::uint64_t i = 1; !stop.load(); ++i) {
          BatchOptions options;
          options.threads = arguments.index.threads;
          options.progress = until_interrupted();
          const Result<BatchResult> stored = index.upsert_batch(
              counted_labels(i * 7 % rows, rows), base.range(i % 2 * second, rows), options);
          if (!stored.ok()) return stored.status();
        }
        return {};
      },
      batch);
  if (!status.ok()) return status;
  return print_line({{"pauses", rebuild.count()},
                     {"rebuilds_begun", rebuilds},
                     {"beside_rebuild_p50_ms", rounded(rebuild.percentile_us(0.5) / 1e3, 3)},
                     {"beside_rebuild_longest_ms", rounded(rebuild.percentile_us(1) / 1e3, 3)},
                     {"beside_batch_p50_ms", rounded(batch.percentile_us(0.5) / 1e3, 3)},
                     {"beside_batch_longest_ms", rounded(batch.percentile_us(1) / 1e3, 3)}});
}

Status measure(const StreamArguments& arguments) {
  Result<matrix::Matrix> base = rows_of(arguments);
  if (!base.ok()) return base.status();
  const IndexOptions options = arguments.index.options(base->dimension);
  Result<Index> index = Index::in_memory(options);
  if (!index.ok()) return index.status();
  if (Status s = preload(*index, *base, arguments.rows, "building"); !s.ok()) return s;
  std::vector<double> saving;
  std::vector<double> loading;
  std::vector<double> copying;
  std::vector<std::byte> bytes;
  for (std::uint64_t i = 0; i < arguments.repeats; ++i) {
    bytes.clear();
    Clock::time_point start = Clock::now();
    const Status saved = index->save([&](std::span<const std::byte> piece) {
      bytes.insert(bytes.end(), piece.begin(), piece.end());
      return check_interrupted();
    });
    if (!saved.ok()) return saved;
    saving.push_back(seconds_since(start));
    copying.push_back(copy_seconds(bytes));
    std::size_t at = 0;
    start = Clock::now();
    const Result<Index> copy = Index::load(
        [&](std::span<std::byte> room) -> Result<std::size_t> {
          if (Status s = check_interrupted(); !s.ok()) return s;
          const std::size_t count = std::min(room.size(), bytes.size() - at);
          std::memcpy(room.data(), bytes.data() + at, count);
          at += count;
          return count;
        },
        {.threads = arguments.index.threads});
    if (!copy.ok()) return copy.status();
    loading.push_back(seconds_since(start));
  }
  const double load = median(loading);
  const double copy = median(copying);
  Status printed = print_line({{"engine", "vicinal"},
                               {"n", arguments.rows},
                               {"dim", base->dimension},
                               {"quantization", quantization_name(index->options().quantization)},
                               {"storage", storage_name(index->options().storage)},
                               {"threads", arguments.index.thread_count()},
                               {"bytes", bytes.size()},
                               {"save_s", rounded(median(saving), 4)},
                               {"copy_s", rounded(copy, 4)},
                               {"load_s", rounded(load, 4)},
                               {"load_by_copy", rounded(load / copy, 2)}});
  if (!printed.ok()) return printed;
  return measure_pauses(arguments, *base, *index);
}

}  // namespace

void add_stream(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<StreamArguments>();
  CLI::App* command = app.add_subcommand(
      "stream", "Saving to bytes and loading, against copying the bytes; pausing writes");
  tools::add_text(*command, "--base", arguments->base, "Vectors (default: random ones)");
  tools::add_whole(*command, "--rows", arguments->rows, tools::kSomeRows, "Vectors")
      ->capture_default_str();
  tools::add_whole(*command, "--dimension", arguments->dimension, {1, matrix::kMaxDimension},
                   "Of random vectors")
      ->capture_default_str();
  tools::add_whole(*command, "--repeats", arguments->repeats, {1, 1000},
                   "Times; the median is told")
      ->capture_default_str();
  add_index_arguments(*command, arguments->index);
  command->callback([arguments, &exit_code] {
    const Status status = measure(*arguments);
    exit_code = status.ok() ? 0 : print_error(status);
  });
}

}  // namespace vicinal::bench
