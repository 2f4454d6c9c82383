// vicinal-bench recall-target: how near SearchOptions::recall comes to what it says, and what it
// costs beside the ef that it chooses.
//
// What: queries that the index does not hold, of a file or drawn from the vectors, asked with each
// target, and compared with exact neighbors. Speed is measured in turns, with the recall and with
// the ef that it chose; so are single upserts beside a searching thread of each kind.
#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>
#include <thread>
#include <utility>

#include "bench/vicinal_bench/common.h"
#include "bench/vicinal_bench/exact.h"
#include "tools/arguments.h"
#include "tools/names.h"
#include "tools/progress.h"

namespace vicinal::bench {
namespace {

constexpr int kTurns = 5;

struct RecallTargetArguments {
  IndexArguments index;
  std::string base;
  std::string query;
  std::uint64_t queries = 1000;
  std::size_t k = 10;
  std::vector<double> targets = {0.90, 0.95, 0.98, 0.99};
  std::uint64_t writes = 1000;
};

struct Inputs {
  matrix::Matrix base;
  matrix::Matrix query;
  matrix::Matrix fresh;  ///< upserted beside searches
  ExactResult truth;
};

/// The rows of `from` that `numbers` says, in that order.
matrix::Matrix rows_of(const matrix::Matrix& from, std::span<const std::uint64_t> numbers) {
  matrix::Matrix to;
  to.rows = numbers.size();
  to.dimension = from.dimension;
  to.values.reserve(to.rows * to.dimension);
  for (const std::uint64_t number : numbers) {
    const std::span<const float> row = from.row(number);
    to.values.insert(to.values.end(), row.begin(), row.end());
  }
  return to;
}

Result<Inputs> load_inputs(const RecallTargetArguments& arguments) {
  Inputs in;
  if (!arguments.query.empty()) {
    Result<matrix::Matrix> query = load_rows(arguments.query, 0);
    if (!query.ok()) return query.status();
    in.query = std::move(*query);
  }
  const std::uint64_t drawn = arguments.query.empty() ? arguments.queries : 0;
  const std::uint64_t held_out = drawn + 2 * arguments.writes;
  Result<matrix::Matrix> all = load_rows(arguments.base, 0);
  if (!all.ok()) return all.status();
  if (all->rows <= held_out) {
    return Status::invalid_argument(fmt::format("{}: {} rows, of which {} are to be held out",
                                                arguments.base, all->rows, held_out));
  }
  if (!arguments.query.empty() && in.query.dimension != all->dimension) {
    return Status::invalid_argument(fmt::format("{}: dimension {}, {} has {}", arguments.query,
                                                in.query.dimension, arguments.base,
                                                all->dimension));
  }
  std::vector<std::uint64_t> order(all->rows);
  std::iota(order.begin(), order.end(), std::uint64_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937_64(arguments.index.seed));
  const std::span<const std::uint64_t> numbers(order);
  if (drawn > 0) in.query = rows_of(*all, numbers.first(drawn));
  in.fresh = rows_of(*all, numbers.subspan(drawn, 2 * arguments.writes));
  in.base = rows_of(*all, numbers.subspan(held_out));
  tools::ProgressBar bar("comparing", in.base.rows * in.query.rows, "pairs");
  in.truth = exact_neighbors(in.base, in.query, arguments.index.metric.value_or(Metric::kCosine),
                             arguments.k, arguments.index.threads, until_interrupted(bar));
  if (Status s = check_interrupted(); !s.ok()) return s;
  bar.finish();
  return in;
}

double cpu_seconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// All queries once.
struct Pass {
  double recall = 0;
  double seconds = 0;
  double own_cpu = 0;     ///< seconds of CPU that the searching thread took
  double others_cpu = 0;  ///< and all others
  std::vector<double> efs;
};

Result<Pass> ask_all(const Index& index, const Inputs& in, const SearchOptions& options) {
  Pass pass;
  std::vector<Hit> hits(options.k);
  std::vector<Label> labels;
  std::vector<std::vector<Label>> found(in.query.rows);
  pass.efs.reserve(in.query.rows);
  for (std::vector<Label>& row : found) row.reserve(options.k);
  const double own_before = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
  const double all_before = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const Clock::time_point start = Clock::now();
  for (std::uint64_t q = 0; q < in.query.rows; ++q) {
    if (Status s = check_interrupted(); !s.ok()) return s;
    SearchCounters counters;
    const Result<std::size_t> got = index.search_into(in.query.row(q), options, hits, &counters);
    if (!got.ok()) return got.status();
    pass.efs.push_back(static_cast<double>(counters.ef_search));
    for (std::size_t i = 0; i < *got; ++i) found[q].push_back(hits[i].label);
  }
  pass.seconds = seconds_since(start);
  pass.own_cpu = cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - own_before;
  pass.others_cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - all_before - pass.own_cpu;
  const std::size_t columns = in.truth.columns;
  for (std::uint64_t q = 0; q < in.query.rows; ++q) {
    pass.recall +=
        matrix::overlap(std::span(in.truth.rows).subspan(q * columns, columns), found[q], columns);
  }
  pass.recall /= static_cast<double>(in.query.rows);
  return pass;
}

SearchOptions by_recall(std::size_t k, double recall) {
  SearchOptions options;
  options.k = k;
  options.recall = recall;
  return options;
}

SearchOptions by_ef(std::size_t k, double ef) {
  SearchOptions options;
  options.k = k;
  options.ef_search = static_cast<std::size_t>(ef);
  return options;
}

/// p50 of upserts beside a thread that searches by `options`, microseconds; the rows of `fresh` from
/// `first` on.
Result<double> upserts_beside(Index& index, const Inputs& in, const SearchOptions& options,
                              std::uint64_t first, std::uint64_t count) {
  std::atomic<bool> done{false};
  Status searched;
  std::thread searcher([&] {
    std::vector<Hit> hits(options.k);
    for (std::uint64_t q = 0; !done.load(); q = (q + 1) % in.query.rows) {
      const Result<std::size_t> got = index.search_into(in.query.row(q), options, hits);
      if (!got.ok()) searched = got.status();
    }
  });
  Latencies latencies;
  latencies.reserve(count);
  Status written;
  for (std::uint64_t i = first; i < first + count && written.ok(); ++i) {
    const Clock::time_point start = Clock::now();
    const Result<UpsertOutcome> outcome = index.upsert(in.base.rows + i, in.fresh.row(i));
    latencies.add(seconds_since(start));
    written = outcome.ok() ? check_interrupted() : outcome.status();
  }
  done.store(true);
  searcher.join();
  if (!written.ok()) return written;
  if (!searched.ok()) return searched;
  return latencies.percentile_us(0.5);
}

Status measure_target(const Index& index, const Inputs& in, std::size_t k, double target,
                      double& ef) {
  const SearchOptions with_recall = by_recall(k, target);
  const Result<ExpectedRecall> known = index.expected_recall(k);
  if (!known.ok()) return known.status();
  const Result<Pass> asked = ask_all(index, in, with_recall);
  if (!asked.ok()) return asked.status();
  // Of an even number of queries it may lie between two whole ones.
  ef = std::round(median(asked->efs));
  const SearchOptions with_ef = by_ef(k, ef);
  std::vector<double> ratios;
  std::vector<double> cpu_ratios;
  std::vector<double> rates;
  double reached_last = 0;
  double seconds = 0;
  double others = 0;
  for (int turn = 0; turn < kTurns; ++turn) {
    const Result<Pass> one = ask_all(index, in, turn % 2 == 0 ? with_recall : with_ef);
    if (!one.ok()) return one.status();
    const Result<Pass> other = ask_all(index, in, turn % 2 == 0 ? with_ef : with_recall);
    if (!other.ok()) return other.status();
    const Pass& by_target = turn % 2 == 0 ? *one : *other;
    const Pass& by_width = turn % 2 == 0 ? *other : *one;
    ratios.push_back(by_width.seconds / by_target.seconds);
    cpu_ratios.push_back(by_width.own_cpu / by_target.own_cpu);
    rates.push_back(static_cast<double>(in.query.rows) / by_target.seconds);
    reached_last = by_target.recall;
    seconds += by_target.seconds;
    others += by_target.others_cpu;
  }
  const auto [low, high] = std::minmax_element(asked->efs.begin(), asked->efs.end());
  return print_line({{"recall_target", target},
                     {"reached", rounded(asked->recall, 5)},
                     {"difference", rounded(asked->recall - target, 5)},
                     {"reached_last", rounded(reached_last, 5)},
                     {"own_vectors", known->own_vectors},
                     {"queries_compared", known->queries},
                     {"ef", ef},
                     {"ef_least", *low},
                     {"ef_most", *high},
                     {"qps", rounded(median(rates), 1)},
                     {"qps_x_ef", rounded(median(ratios), 3)},
                     {"qps_x_ef_by_cpu", rounded(median(cpu_ratios), 3)},
                     {"learner_cpu_share", rounded(others / seconds, 3)}});
}

Status measure_upserts(Index& index, const RecallTargetArguments& arguments, const Inputs& in,
                       double target, double ef) {
  if (arguments.writes < kTurns) return {};
  std::vector<double> with_recall;
  std::vector<double> with_ef;
  const std::uint64_t count = arguments.writes / kTurns;
  std::uint64_t first = 0;
  for (int turn = 0; turn < 2 * kTurns; ++turn) {
    // Turn about, and about again: an index grows slower to write to.
    const bool recall = (turn % 4 == 0) || (turn % 4 == 3);
    const SearchOptions options = recall ? by_recall(arguments.k, target) : by_ef(arguments.k, ef);
    const Result<double> p50 = upserts_beside(index, in, options, first, count);
    if (!p50.ok()) return p50.status();
    (recall ? with_recall : with_ef).push_back(*p50);
    first += count;
  }
  return print_line({{"upserts_beside_searches_by", target},
                     {"upsert_p50_us", rounded(median(with_recall), 2)},
                     {"upsert_p50_us_by_ef", rounded(median(with_ef), 2)},
                     {"upsert_p50_x_ef", rounded(median(with_recall) / median(with_ef), 3)}});
}

Status measure(const RecallTargetArguments& arguments, const Inputs& in, Bench& bench) {
  const Stats stats = bench.index.stats();
  const Clock::time_point start = Clock::now();
  if (const auto known = bench.index.expected_recall(arguments.k); !known.ok()) {
    return known.status();
  }
  Status printed = print_line({{"engine", "vicinal"},
                               {"dataset", dataset_name(arguments.base)},
                               {"n", in.base.rows},
                               {"dim", in.base.dimension},
                               {"queries", in.query.rows},
                               {"k", arguments.k},
                               {"M", stats.options.M},
                               {"ef_construction", stats.options.ef_construction},
                               {"target", stats.target},
                               {"quantization", quantization_name(stats.options.quantization)},
                               {"storage", storage_name(stats.options.storage)},
                               {"first_measure_s", rounded(seconds_since(start), 3)}});
  if (!printed.ok()) return printed;
  double ef = 0;
  for (const double target : arguments.targets) {
    if (Status s = measure_target(bench.index, in, arguments.k, target, ef); !s.ok()) return s;
  }
  return measure_upserts(bench.index, arguments, in, arguments.targets.back(), ef);
}

int run(const RecallTargetArguments& arguments) {
  const Result<Inputs> in = load_inputs(arguments);
  if (!in.ok()) return print_error(in.status());
  IndexOptions options = arguments.index.options(in->base.dimension);
  options.reserve = in->base.rows + in->fresh.rows;
  Result<Bench> bench = make_bench(arguments.index, options);
  if (!bench.ok()) return print_error(bench.status());
  Status s = preload(bench->index, in->base, in->base.rows, "building");
  if (s.ok()) s = measure(arguments, *in, *bench);
  if (!s.ok()) return print_error(s);
  if (!bench->store.has_value()) return 0;
  const Status closed = bench->store->close();
  return closed.ok() ? 0 : print_error(closed);
}

}  // namespace

void add_recall_target(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<RecallTargetArguments>();
  CLI::App* command =
      app.add_subcommand("recall-target", "How near a recall asked for comes, and what it costs");
  tools::add_text(*command, "--base", arguments->base, "Vectors")->required();
  tools::add_text(*command, "--query", arguments->query, "Queries (default: drawn from --base)");
  tools::add_whole(*command, "--queries", arguments->queries, tools::kSomeRows,
                   "How many are drawn")
      ->capture_default_str();
  tools::add_whole(*command, "-k,--k", arguments->k, {1, 1000}, "Neighbors")->capture_default_str();
  add_real_list(*command, "--targets", arguments->targets, {0.01, 0.9999},
                "Recalls asked for, by comma");
  tools::add_whole(*command, "--writes", arguments->writes, tools::kRows,
                   "Rows upserted beside searches of each kind")
      ->capture_default_str();
  add_index_arguments(*command, arguments->index);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace vicinal::bench
