// vicinal-bench many: a store with very many small indexes. They are made, written by several
// threads, listed, opened, searched, written to again and dropped.
//
// What: rows are random. An open index stays open as long as its store is, so the store is closed
// and opened again after every --at-once of them.
#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "bench/vicinal_bench/common.h"
#include "bench/vicinal_bench/crew.h"
#include "tools/arguments.h"
#include "tools/names.h"
#include "tools/progress.h"

namespace vicinal::bench {
namespace {

struct ManyArguments {
  IndexArguments index;
  std::uint64_t indexes = 10'000;
  std::uint64_t rows = 20;
  std::uint32_t dimension = 64;
  std::uint64_t at_once = 200;
  std::uint64_t writers = 8;
  std::uint64_t searches = 20'000;
  std::uint64_t commits = 500;
};

/// The number behind `field` in a file of /proc, or 0.
double proc_number(const char* file, const std::string& field) {
  std::ifstream lines(file);
  std::string word;
  double number = 0;
  while (lines >> word) {
    if (word == field && lines >> number) return number;
  }
  return 0;
}

double rss_bytes() { return proc_number("/proc/self/status", "VmRSS:") * 1024; }
double written_bytes() { return proc_number("/proc/self/io", "wchar:"); }

class Many {
 public:
  explicit Many(const ManyArguments& arguments) : a_(arguments), random_(arguments.index.seed) {}

  Status run() {
    for (std::uint64_t first = 0; first < a_.indexes; first += a_.at_once) {
      if (Status s = make(first, std::min(first + a_.at_once, a_.indexes)); !s.ok()) return s;
    }
    if (Status s = use(); !s.ok()) return s;
    if (Status s = drop(); !s.ok()) return s;
    const auto count = static_cast<double>(a_.indexes);
    return print_line({{"engine", "vicinal"},
                       {"indexes", a_.indexes},
                       {"rows", a_.rows},
                       {"dim", a_.dimension},
                       {"durability", durability_name(a_.index.durability)},
                       {"made_per_s", rounded(count / making_, 1)},
                       {"rows_per_s", rounded(count * static_cast<double>(a_.rows) / writing_, 1)},
                       {"checkpointed_per_s", rounded(count / closing_, 1)},
                       {"disk_bytes_each", rounded(disk_bytes_ / count, 0)},
                       {"memory_bytes_each", rounded(memory_bytes_, 0)},
                       {"store_open_ms", rounded(store_open_ * 1e3, 2)},
                       {"list_ms", rounded(listing_ * 1e3, 2)},
                       {"open_p50_us", rounded(opening_.percentile_us(0.5), 1)},
                       {"open_p99_us", rounded(opening_.percentile_us(0.99), 1)},
                       {"search_p50_us", rounded(searching_.percentile_us(0.5), 2)},
                       {"search_p99_us", rounded(searching_.percentile_us(0.99), 2)},
                       {"bytes_per_commit", rounded(commit_bytes_, 0)},
                       {"upsert_p50_us", rounded(upserting_.percentile_us(0.5), 2)},
                       {"dropped_per_s", rounded(count / dropping_, 1)}});
  }

 private:
  static std::string name_of(std::uint64_t i) { return fmt::format("tenant-{}", i); }

  std::vector<float> random_rows(std::uint64_t count, std::uint64_t seed) const {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> component;
    std::vector<float> rows(count * a_.dimension);
    for (float& f : rows) f = component(random);
    return rows;
  }

  Result<Store> open_store() const {
    StoreOptions options;
    options.durability = a_.index.durability;
    return Store::open(a_.index.store, options);
  }

  /// Makes some, fills them by all writers, and closes.
  Status make(std::uint64_t first, std::uint64_t end) {
    Result<Store> store = open_store();
    if (!store.ok()) return store.status();
    std::vector<Index> made;
    Clock::time_point start = Clock::now();
    for (std::uint64_t i = first; i < end; ++i) {
      if (Status s = check_interrupted(); !s.ok()) return s;
      Result<Index> index = store->index(name_of(i), a_.index.options(a_.dimension));
      if (!index.ok()) return index.status();
      if (index->size() != 0) {
        return Status::invalid_argument(fmt::format(
            "{} holds {} already, a fresh store is measured", a_.index.store, name_of(i)));
      }
      made.push_back(std::move(*index));
      bar_.update(i + 1);
    }
    making_ += seconds_since(start);
    start = Clock::now();
    Crew crew;
    for (std::uint64_t w = 0; w < a_.writers; ++w) {
      crew.start([&, w]() -> Status {
        for (std::uint64_t i = w; i < made.size(); i += a_.writers) {
          const std::vector<float> rows = random_rows(a_.rows, first + i);
          const Result<BatchResult> stored =
              made[i].upsert_batch(counted_labels(0, a_.rows), rows, {.threads = 1});
          if (!stored.ok()) return stored.status();
          if (Status s = check_interrupted(); !s.ok()) return s;
        }
        return {};
      });
    }
    if (Status s = crew.join(); !s.ok()) return s;
    writing_ += seconds_since(start);
    start = Clock::now();
    if (Status s = store->close(); !s.ok()) return s;
    closing_ += seconds_since(start);
    return {};
  }

  /// Opens, searches and writes to some, drawn from all.
  Status use() {
    Clock::time_point start = Clock::now();
    Result<Store> store = open_store();
    if (!store.ok()) return store.status();
    store_open_ = seconds_since(start);
    start = Clock::now();
    const Result<std::vector<std::string>> names = store->index_names();
    listing_ = seconds_since(start);
    if (!names.ok()) return names.status();
    if (names->size() != a_.indexes) {
      return Status::corruption(fmt::format("{} indexes are listed", names->size()));
    }
    std::vector<std::uint64_t> order(a_.indexes);
    std::iota(order.begin(), order.end(), std::uint64_t{0});
    std::shuffle(order.begin(), order.end(), random_);
    order.resize(std::min(a_.at_once, a_.indexes));
    std::vector<Index> open;
    const double before = rss_bytes();
    for (const std::uint64_t i : order) {
      if (Status s = check_interrupted(); !s.ok()) return s;
      start = Clock::now();
      Result<Index> index = store->open_index(name_of(i));
      opening_.add(seconds_since(start));
      if (!index.ok()) return index.status();
      open.push_back(std::move(*index));
    }
    memory_bytes_ = (rss_bytes() - before) / static_cast<double>(open.size());
    disk_bytes_ = static_cast<double>(open.front().stats().bytes_disk);
    if (Status s = search(open); !s.ok()) return s;
    if (Status s = write(open); !s.ok()) return s;
    return store->close();
  }

  Status search(const std::vector<Index>& open) {
    const std::uint64_t k = std::min<std::uint64_t>(10, a_.rows);
    const std::vector<float> query = random_rows(1, 0);
    for (std::uint64_t i = 0; i < a_.searches; ++i) {
      if (Status s = check_interrupted(); !s.ok()) return s;
      const Index& index = open[random_() % open.size()];
      const Clock::time_point start = Clock::now();
      const Result<SearchResult> found = index.search(query, {.k = k});
      searching_.add(seconds_since(start));
      if (!found.ok()) return found.status();
      if (found->hits.size() != k) return Status::corruption("hits are missing");
    }
    return {};
  }

  Status write(std::vector<Index>& open) {
    const std::vector<float> row = random_rows(1, 1);
    const double before = written_bytes();
    for (std::uint64_t i = 0; i < a_.commits; ++i) {
      if (Status s = check_interrupted(); !s.ok()) return s;
      Index& index = open[random_() % open.size()];
      const Clock::time_point start = Clock::now();
      const Result<UpsertOutcome> stored = index.upsert(a_.rows + i, row);
      upserting_.add(seconds_since(start));
      if (!stored.ok()) return stored.status();
    }
    commit_bytes_ = (written_bytes() - before) / static_cast<double>(a_.commits);
    return {};
  }

  Status drop() {
    Result<Store> store = open_store();
    if (!store.ok()) return store.status();
    const Clock::time_point start = Clock::now();
    for (std::uint64_t i = 0; i < a_.indexes; ++i) {
      if (Status s = check_interrupted(); !s.ok()) return s;
      if (Status s = store->drop_index(name_of(i)); !s.ok()) return s;
    }
    dropping_ = seconds_since(start);
    return store->close();
  }

  const ManyArguments& a_;
  std::mt19937_64 random_;
  tools::ProgressBar bar_{"making indexes", a_.indexes, "indexes"};
  double making_ = 0;
  double writing_ = 0;
  double closing_ = 0;
  double store_open_ = 0;
  double listing_ = 0;
  double dropping_ = 0;
  double disk_bytes_ = 0;
  double memory_bytes_ = 0;
  double commit_bytes_ = 0;
  Latencies opening_;
  Latencies searching_;
  Latencies upserting_;
};

}  // namespace

void add_many(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<ManyArguments>();
  CLI::App* command = app.add_subcommand("many", "A store with very many small indexes");
  add_index_arguments(*command, arguments->index);
  command->get_option("--store")->required();
  const auto number = [&](const char* option, std::uint64_t& value, std::uint64_t most,
                          const char* description) {
    tools::add_whole(*command, option, value, {1, most}, description)->capture_default_str();
  };
  number("--indexes", arguments->indexes, 10'000'000, "Indexes");
  number("--rows", arguments->rows, 1'000'000, "Vectors in each");
  tools::add_whole(*command, "--dimension", arguments->dimension, {1, matrix::kMaxDimension},
                   "Of the vectors")
      ->capture_default_str();
  number("--at-once", arguments->at_once, 1'000'000, "Indexes that are open at once");
  number("--writers", arguments->writers, 256, "Threads that fill them");
  number("--searches", arguments->searches, tools::kMostRows,
         "Searches, each in a random open index");
  number("--commits", arguments->commits, tools::kMostRows,
         "Single upserts into random open indexes");
  command->callback([arguments, &exit_code] {
    const Status status = Many(*arguments).run();
    exit_code = status.ok() ? 0 : print_error(status);
  });
}

}  // namespace vicinal::bench
