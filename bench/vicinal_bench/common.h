// What every measurement shares: the index under test, latencies, and JSON lines.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/arguments.h"
#include "tools/matrix/matrix.h"
#include "tools/progress.h"
#include "vicinal/index.h"
#include "vicinal/store.h"

namespace vicinal::bench {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

double seconds_since(Clock::time_point start);

/// kCancelled once the user asked to stop: what every loop of a measurement looks at.
Status check_interrupted();
/// For engine calls that are part of what is measured: ends them when the user asks to stop.
ProgressCallback until_interrupted();
/// For exact_neighbors(): also shows in `bar` what is done.
std::function<bool(std::uint64_t)> until_interrupted(tools::ProgressBar& bar);

struct IndexArguments {
  std::optional<Metric> metric;
  std::uint32_t M = 16;
  std::uint32_t ef_construction = 200;
  std::optional<Quantization> quantization;
  std::optional<Storage> storage;
  unsigned threads = 0;
  std::uint64_t seed = 42;
  std::string store;
  Durability durability = Durability::kFull;

  IndexOptions options(std::uint32_t dimension) const;
  /// `threads` with 0 replaced by the number of CPUs.
  unsigned thread_count() const;
};

void add_index_arguments(CLI::App& app, IndexArguments& arguments);

/// One argument with real numbers by comma, read as strictly as tools/arguments.h reads one.
void add_real_list(CLI::App& app, const std::string& name, std::vector<double>& target,
                   tools::RealRange range, const std::string& help);

/// An index in memory, or in a store of its own.
struct Bench {
  std::optional<Store> store;
  Index index;
};

/// A fresh index; in the folder `arguments.store` when that is set.
/// Errors: also kInvalidArgument when the store holds an index of that name with vectors in it.
Result<Bench> make_bench(const IndexArguments& arguments, const IndexOptions& options,
                         const std::string& name = "bench");

/// Upserts the first `rows` of `base` as one batch, labels their row numbers, and has them written,
/// so that a later measurement does not pay for them. Shows progress as `words`.
Status preload(Index& index, const matrix::Matrix& base, std::uint64_t rows,
               const std::string& words);

/// Latencies of single calls.
class Latencies {
 public:
  void reserve(std::size_t count) { seconds_.reserve(count); }
  void add(double seconds) { seconds_.push_back(seconds); }
  std::size_t count() const { return seconds_.size(); }
  double mean_us() const;
  double percentile_us(double part) const;

 private:
  std::vector<double> seconds_;
};

/// Row numbers as labels: first, first + 1, ...
std::vector<Label> counted_labels(std::uint64_t first, std::uint64_t count);

/// Loads a file; `rows` (0: all) are wanted at least.
/// Errors: also kInvalidArgument when it has fewer.
Result<matrix::Matrix> load_rows(const std::string& path, std::uint64_t rows);

/// Errors: kInvalidArgument  `truth`, of the file `path`, names a row that a base of `rows` rows has
///         not: it belongs to another base.
Status check_truth(const matrix::Truth& truth, const std::string& path, std::uint64_t rows);

/// The folder's name for ".../words300/base.npy", else the file's name without its ending.
std::string dataset_name(const std::string& path);

/// The most memory this process has held, in MiB.
double peak_rss_mb();

/// The one in the middle, of an even number the mean of the two there; 0 of none.
double median(std::vector<double> values);

/// `value` with `digits` digits after the point, for readable lines.
double rounded(double value, int digits);

/// Writes to standard output at once.
/// Errors: kIoError  it does not take everything.
Status print_line(const Json& json);
int print_error(const Status& status);

// One function a subcommand, in the file of its name.
void add_build(CLI::App& app, int& exit_code);
void add_insert(CLI::App& app, int& exit_code);
void add_rebuild(CLI::App& app, int& exit_code);
void add_recall_target(CLI::App& app, int& exit_code);
void add_truth(CLI::App& app, int& exit_code);
void add_churn(CLI::App& app, int& exit_code);
void add_live(CLI::App& app, int& exit_code);
void add_many(CLI::App& app, int& exit_code);
void add_stream(CLI::App& app, int& exit_code);

}  // namespace vicinal::bench
