// vicinal-bench build: one batch build, then recall and speed of single-threaded queries at each
// ef.
#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "bench/vicinal_bench/common.h"
#include "tools/arguments.h"
#include "tools/interrupt.h"
#include "tools/names.h"
#include "tools/progress.h"

namespace vicinal::bench {
namespace {

constexpr int kPasses = 3;

struct BuildArguments {
  IndexArguments index;
  std::string base;
  std::string query;
  std::string truth;
  std::size_t k = 10;
  std::vector<std::size_t> ef = {10, 20, 40, 80, 120, 200, 400, 800};
};

struct Inputs {
  matrix::Matrix base;
  matrix::Matrix query;
  matrix::Truth truth;
};

struct Pass {
  double recall = 0;
  double seconds = 0;
  double distances = 0;
  Latencies latencies;
};

Result<Inputs> load_inputs(const BuildArguments& arguments) {
  Inputs in;
  // The small files first: a mistake in them shows before minutes are spent.
  Result<matrix::Truth> truth = matrix::load_truth(arguments.truth);
  if (!truth.ok()) return truth.status();
  in.truth = std::move(*truth);
  Result<matrix::Matrix> query = load_rows(arguments.query, 0);
  if (!query.ok()) return query.status();
  in.query = std::move(*query);
  if (in.truth.rows != in.query.rows) {
    return Status::invalid_argument(fmt::format("{}: {} rows, {} has {} queries", arguments.truth,
                                                in.truth.rows, arguments.query, in.query.rows));
  }
  if (arguments.k == 0 || arguments.k > in.truth.columns) {
    return Status::invalid_argument(fmt::format("k is {}, {} has neighbors 1 to {}", arguments.k,
                                                arguments.truth, in.truth.columns));
  }
  Result<matrix::Matrix> base = load_rows(arguments.base, 0);
  if (!base.ok()) return base.status();
  in.base = std::move(*base);
  if (Status s = check_truth(in.truth, arguments.truth, in.base.rows); !s.ok()) return s;
  if (in.base.dimension != in.query.dimension) {
    return Status::invalid_argument(fmt::format("{}: dimension {}, {} has {}", arguments.query,
                                                in.query.dimension, arguments.base,
                                                in.base.dimension));
  }
  return in;
}

Result<Pass> run_pass(const Index& index, const Inputs& in, std::size_t k, std::size_t ef) {
  Pass pass;
  SearchOptions options;
  options.k = k;
  options.ef_search = ef;
  std::vector<std::vector<Label>> found(in.query.rows);
  std::vector<Hit> hits(k);
  std::uint64_t distances = 0;
  pass.latencies.reserve(in.query.rows);
  for (std::vector<Label>& labels : found) labels.reserve(k);
  const Clock::time_point start = Clock::now();
  Clock::time_point before = start;
  for (std::uint64_t q = 0; q < in.query.rows; ++q) {
    if (Status s = check_interrupted(); !s.ok()) return s;
    SearchCounters counters;
    Result<std::size_t> got = index.search_into(in.query.row(q), options, hits, &counters);
    if (!got.ok()) return got.status();
    const Clock::time_point after = Clock::now();
    pass.latencies.add(std::chrono::duration<double>(after - before).count());
    before = after;
    distances += counters.distances;
    for (std::size_t i = 0; i < *got; ++i) found[q].push_back(hits[i].label);
  }
  pass.seconds = std::chrono::duration<double>(before - start).count();
  for (std::uint64_t q = 0; q < in.query.rows; ++q) {
    pass.recall += matrix::overlap(in.truth.row(q), found[q], k);
  }
  pass.recall /= static_cast<double>(in.query.rows);
  pass.distances = static_cast<double>(distances) / static_cast<double>(in.query.rows);
  return pass;
}

Status measure_ef(const Index& index, const Inputs& in, std::size_t k, std::size_t ef) {
  Result<Pass> warm_up = run_pass(index, in, k, ef);
  if (!warm_up.ok()) return warm_up.status();
  std::optional<Pass> best;
  for (int i = 0; i < kPasses; ++i) {
    Result<Pass> pass = run_pass(index, in, k, ef);
    if (!pass.ok()) return pass.status();
    if (!best.has_value() || pass->seconds < best->seconds) best = std::move(*pass);
  }
  return print_line({{"ef", ef},
                     {"recall", rounded(best->recall, 5)},
                     {"qps", rounded(static_cast<double>(in.query.rows) / best->seconds, 1)},
                     {"p50_us", rounded(best->latencies.percentile_us(0.5), 2)},
                     {"p99_us", rounded(best->latencies.percentile_us(0.99), 2)},
                     {"distances_per_query", rounded(best->distances, 1)}});
}

Status build(const BuildArguments& arguments, const Inputs& in, Index& index) {
  const std::vector<Label> labels = counted_labels(0, in.base.rows);
  tools::ProgressBar bar("building", in.base.rows, "rows");
  BatchOptions options;
  options.threads = arguments.index.threads;
  options.progress = bar.callback_from(0);
  const Clock::time_point start = Clock::now();
  Result<BatchResult> built = index.upsert_batch(labels, in.base.values, options);
  const double seconds = seconds_since(start);
  if (!built.ok()) return built.status();
  bar.finish();
  const double n = static_cast<double>(in.base.rows);
  const Stats stats = index.stats();
  return print_line(
      {{"engine", "vicinal"},
       {"dataset", dataset_name(arguments.base)},
       {"n", in.base.rows},
       {"dim", in.base.dimension},
       {"M", stats.options.M},
       {"ef_construction", stats.options.ef_construction},
       {"threads", arguments.index.thread_count()},
       {"target", stats.target},
       {"quantization", quantization_name(stats.options.quantization)},
       {"storage", storage_name(stats.options.storage)},
       {"build_s", rounded(seconds, 3)},
       {"inserts_per_s", rounded(n / seconds, 1)},
       {"peak_rss_mb", rounded(peak_rss_mb(), 1)},
       {"bytes_per_vector", rounded(static_cast<double>(stats.bytes_in_memory()) / n, 1)}});
}

int run(const BuildArguments& arguments) {
  Result<Inputs> in = load_inputs(arguments);
  if (!in.ok()) return print_error(in.status());
  IndexOptions options = arguments.index.options(in->base.dimension);
  options.reserve = in->base.rows;
  Result<Bench> bench = make_bench(arguments.index, options);
  if (!bench.ok()) return print_error(bench.status());
  if (Status s = build(arguments, *in, bench->index); !s.ok()) return print_error(s);
  for (const std::size_t ef : arguments.ef) {
    if (Status s = measure_ef(bench->index, *in, arguments.k, ef); !s.ok()) return print_error(s);
  }
  if (!bench->store.has_value()) return 0;
  const Status closed = bench->store->close();
  return closed.ok() ? 0 : print_error(closed);
}

}  // namespace

void add_build(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<BuildArguments>();
  CLI::App* command = app.add_subcommand("build", "Build, then recall and speed at each ef");
  tools::add_text(*command, "--base", arguments->base, "Vectors")->required();
  tools::add_text(*command, "--query", arguments->query, "Queries")->required();
  tools::add_text(*command, "--truth", arguments->truth, "Exact neighbors (.ivecs)")->required();
  tools::add_whole(*command, "-k", arguments->k, tools::kRows, "Neighbors")->capture_default_str();
  // 0 would be the index's own ef, and stand as 0 beside its recall.
  tools::add_whole_list(*command, "--ef", arguments->ef, {1, tools::kEf.high},
                        "Values of ef, by comma");
  add_index_arguments(*command, arguments->index);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace vicinal::bench
