#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>

#include "bench/common/scratch_folder.h"
#include "bench/compare/child.h"
#include "bench/compare/measure.h"

namespace vicinal::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kTries = 3;

StoreOptions store_options() {
  StoreOptions options;
  options.durability = Durability::kNone;
  options.background = false;
  return options;
}

Status fill(const std::string& path, const Dataset& data, const RunOptions& options) {
  IndexOptions index_options;
  index_options.dimension = data.base.dimension;
  index_options.M = static_cast<std::uint32_t>(options.M);
  index_options.ef_construction = static_cast<std::uint32_t>(options.ef_construction);
  index_options.reserve = data.base.rows;
  Result<Store> store = Store::open(path, store_options());
  if (!store.ok()) return store.status();
  Result<Index> index = store->index("compare", index_options);
  if (!index.ok()) return index.status();
  BatchOptions batch;
  batch.threads = options.threads.back();
  const Result<BatchResult> done =
      index->upsert_batch(counted_labels(0, data.base.rows), data.base.values, batch);
  if (!done.ok()) return done.status();
  return store->close();
}

/// As `dd of=/dev/null bs=1M` does: every regular file of the folder, read once.
Result<double> read_seconds(const std::string& folder, std::uint64_t& bytes) {
  std::vector<char> block(1 << 20);
  bytes = 0;
  const Clock::time_point start = Clock::now();
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const int file = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    ssize_t n = file < 0 ? -1 : 1;
    while (n > 0) {
      n = ::read(file, block.data(), block.size());
      if (n > 0) bytes += static_cast<std::uint64_t>(n);
    }
    const int error = errno;
    if (file >= 0) ::close(file);
    if (n < 0) {
      return Status::io_error(fmt::format("{}: {}", entry.path().string(), std::strerror(error)));
    }
  }
  return seconds_since(start);
}

/// Opens until the first query is answered, loads what is left, then asks all queries.
Result<Json> open_and_search(const std::string& path, const Dataset& data,
                             const RunOptions& options, bool vectors_in_memory) {
  IndexOptions tuning;
  tuning.vectors_in_memory = vectors_in_memory;
  const std::uint64_t resident_before = resident_bytes();
  const Clock::time_point start = Clock::now();
  Result<Store> store = Store::open(path, store_options());
  if (!store.ok()) return store.status();
  Result<Index> index = store->open_index("compare", tuning);
  if (!index.ok()) return index.status();
  SearchOptions search;
  search.k = options.k;
  search.ef_search = kQualityEf;
  if (Result<SearchResult> first = index->search(data.query.row(0), search); !first.ok()) {
    return first.status();
  }
  const double open_seconds = seconds_since(start);
  const double resident =
      static_cast<double>(resident_bytes()) - static_cast<double>(resident_before);

  std::vector<Hit> hits(options.k);
  double best = std::numeric_limits<double>::max();
  double recall = 0;
  for (int i = 0; i < kTries; ++i) {
    recall = 0;
    double seconds = 0;
    for (std::uint64_t q = 0; q < data.query.rows; ++q) {
      const Clock::time_point before = Clock::now();
      const Result<std::size_t> found = index->search_into(data.query.row(q), search, hits);
      seconds += seconds_since(before);
      if (!found.ok()) return found.status();
      std::vector<Label> labels;
      for (std::size_t h = 0; h < *found; ++h) labels.push_back(hits[h].label);
      recall += matrix::overlap(data.truth.row(q), labels, options.k);
    }
    best = std::min(best, seconds);
  }
  const double n = static_cast<double>(data.base.rows);
  const double queries = static_cast<double>(data.query.rows);
  Json line{{"open_seconds", rounded(open_seconds, 4)},
            {"own_bytes_per_vector",
             rounded(static_cast<double>(index->stats().bytes_in_memory()) / n, 1)},
            {"resident_bytes_per_vector", rounded(resident / n, 1)},
            {"recall", rounded(recall / queries, 5)},
            {"qps", rounded(queries / best, 1)}};
  if (Status s = store->close(); !s.ok()) return s;
  return line;
}

Result<Json> measure_here(const Dataset& data, const RunOptions& options,
                          const std::string& scratch) {
  say(fmt::format("{}: a store of vicinal's", data.name));
  const Clock::time_point start = Clock::now();
  if (Status s = fill(scratch, data, options); !s.ok()) return s;
  Json result{{"fill_seconds", rounded(seconds_since(start), 3)}};
  double reading = std::numeric_limits<double>::max();
  std::uint64_t bytes = 0;
  // The first reading warms the file's pages.
  for (int i = 0; i <= kTries; ++i) {
    Result<double> seconds = read_seconds(scratch, bytes);
    if (!seconds.ok()) return seconds.status();
    if (i > 0) reading = std::min(reading, *seconds);
  }
  result["file_bytes"] = bytes;
  result["read_seconds"] = rounded(reading, 4);
  for (const bool in_memory : {false, true}) {
    std::optional<Json> best;
    for (int i = 0; i < kTries; ++i) {
      Result<Json> line = open_and_search(scratch, data, options, in_memory);
      if (!line.ok()) return line;
      // Memory is clean the first time only; speed counts at its best.
      if (!best.has_value()) best = *line;
      (*best)["open_seconds"] =
          std::min((*best)["open_seconds"].get<double>(), (*line)["open_seconds"].get<double>());
      (*best)["qps"] = std::max((*best)["qps"].get<double>(), (*line)["qps"].get<double>());
    }
    result[in_memory ? "vectors_in_memory" : "vectors_in_map"] = std::move(*best);
  }
  return result;
}

}  // namespace

Result<Json> measure_store(const Dataset& data, const RunOptions& options) {
  // This process's, which outlives the child: that one may be killed.
  const ScratchFolder scratch(options.scratch, "vicinal-compare");
  if (scratch.path().empty()) {
    return Status::io_error(fmt::format("{}: no folder can be made there", options.scratch));
  }
  return in_child([&] { return measure_here(data, options, scratch.path()); });
}

}  // namespace vicinal::bench
