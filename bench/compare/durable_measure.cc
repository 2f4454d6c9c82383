#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "bench/common/scratch_folder.h"
#include "bench/compare/child.h"
#include "bench/compare/measure.h"

namespace vicinal::bench {
namespace {

constexpr std::size_t kBatchRows = 100;
constexpr std::size_t kBatches = 9;
constexpr std::size_t kWriters = 8;
constexpr std::size_t kSinglesPerWriter = 200;
constexpr std::size_t kCommits = 25;

// Rows that every index is left without at first.
constexpr std::size_t kExtraRows = kBatchRows * kBatches + kSinglesPerWriter * (kWriters + 1);

std::span<const float> rows_of(const Dataset& data, std::uint64_t first, std::uint64_t count) {
  const std::size_t dimension = data.base.dimension;
  return std::span(data.base.values).subspan(first * dimension, count * dimension);
}

Status fill(Index& index, const Dataset& data, const RunOptions& options) {
  BatchOptions batch;
  batch.threads = options.threads.back();
  const std::uint64_t rows = data.base.rows - kExtraRows;
  return index.upsert_batch(counted_labels(0, rows), rows_of(data, 0, rows), batch).status();
}

/// Batches of the rows from `row` on, which is moved behind them.
Result<Latencies> time_batches(Index& index, const Dataset& data, const RunOptions& options,
                               std::uint64_t& row) {
  BatchOptions batch;
  batch.threads = options.threads.back();
  Latencies latencies;
  for (std::size_t i = 0; i < kBatches; ++i, row += kBatchRows) {
    const std::vector<Label> labels = counted_labels(row, kBatchRows);
    const Clock::time_point start = Clock::now();
    const Result<BatchResult> done =
        index.upsert_batch(labels, rows_of(data, row, kBatchRows), batch);
    latencies.add(seconds_since(start));
    if (!done.ok()) return done.status();
  }
  return latencies;
}

/// Single upserts a second by `writers` threads, kSinglesPerWriter each.
Result<double> single_rate(Index index, const Dataset& data, std::size_t writers,
                           std::uint64_t& row) {
  std::atomic<bool> failed{false};
  const Clock::time_point start = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (std::size_t w = 0; w < writers; ++w, row += kSinglesPerWriter) {
      threads.emplace_back([&, first = row]() mutable {
        for (std::uint64_t r = first; r < first + kSinglesPerWriter; ++r) {
          if (!index.upsert(r, data.base.row(r)).ok()) failed = true;
        }
      });
    }
  }
  const double seconds = seconds_since(start);
  if (failed) return Status::io_error("a durable upsert failed");
  return static_cast<double>(writers * kSinglesPerWriter) / seconds;
}

/// A commit of next to nothing: erasures.
Result<Latencies> time_commits(Index& index) {
  Latencies latencies;
  for (std::size_t i = 0; i < kCommits; ++i) {
    const Clock::time_point start = Clock::now();
    const Result<EraseOutcome> erased = index.erase(i);
    latencies.add(seconds_since(start));
    if (!erased.ok()) return erased.status();
  }
  return latencies;
}

Result<Json> measure_here(const Dataset& data, const RunOptions& options,
                          const std::string& scratch) {
  say(fmt::format("{}: durable upserts", data.name));
  IndexOptions index_options;
  index_options.dimension = data.base.dimension;
  index_options.M = static_cast<std::uint32_t>(options.M);
  index_options.ef_construction = static_cast<std::uint32_t>(options.ef_construction);

  Result<Index> memory = Index::in_memory(index_options);
  if (!memory.ok()) return memory.status();
  if (Status s = fill(*memory, data, options); !s.ok()) return s;
  StoreOptions store_options;
  store_options.background = false;
  Result<Store> store = Store::open(scratch, store_options);
  if (!store.ok()) return store.status();
  Result<Index> durable = store->index("compare", index_options);
  if (!durable.ok()) return durable.status();
  if (Status s = fill(*durable, data, options); !s.ok()) return s;
  if (Status s = durable->checkpoint(); !s.ok()) return s;

  const std::uint64_t first_extra = data.base.rows - kExtraRows;
  std::uint64_t row = first_extra;
  const Result<Latencies> in_memory = time_batches(*memory, data, options, row);
  if (!in_memory.ok()) return in_memory.status();
  row = first_extra;
  const Result<Latencies> stored = time_batches(*durable, data, options, row);
  if (!stored.ok()) return stored.status();
  const Result<Latencies> commits = time_commits(*durable);
  if (!commits.ok()) return commits.status();
  const Result<double> one = single_rate(*durable, data, 1, row);
  if (!one.ok()) return one.status();
  const Result<double> many = single_rate(*durable, data, kWriters, row);
  if (!many.ok()) return many.status();
  if (Status s = store->close(); !s.ok()) return s;
  return Json{{"batch_rows", kBatchRows},
              {"memory_batch_us", rounded(in_memory->percentile_us(0.5), 1)},
              {"durable_batch_us", rounded(stored->percentile_us(0.5), 1)},
              {"commit_us", rounded(commits->percentile_us(0.5), 1)},
              {"singles_per_s_one_thread", rounded(*one, 1)},
              {"writers", kWriters},
              {"singles_per_s_writers", rounded(*many, 1)}};
}

}  // namespace

Result<Json> measure_durable(const Dataset& data, const RunOptions& options) {
  if (data.base.rows < 2 * kExtraRows) return Json();
  // This process's, which outlives the child: that one may be killed.
  const ScratchFolder scratch(options.scratch, "vicinal-compare");
  if (scratch.path().empty()) {
    return Status::io_error(fmt::format("{}: no folder can be made there", options.scratch));
  }
  return in_child([&] { return measure_here(data, options, scratch.path()); });
}

}  // namespace vicinal::bench
