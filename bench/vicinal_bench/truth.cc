// vicinal-bench truth: exact neighbors of queries as an ivecs file.
#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <memory>

#include "bench/vicinal_bench/common.h"
#include "bench/vicinal_bench/exact.h"
#include "tools/arguments.h"
#include "tools/matrix/writers.h"
#include "tools/names.h"
#include "tools/progress.h"

namespace vicinal::bench {
namespace {

struct TruthArguments {
  std::string base;
  std::string query;
  std::string out;
  std::optional<Metric> metric;
  std::size_t k = 100;
  unsigned threads = 0;
};

/// NaN and infinity have no place in an order of distances.
Status check_finite(const matrix::Matrix& matrix, const std::string& path) {
  for (std::uint64_t r = 0; r < matrix.rows; ++r) {
    for (const float component : matrix.row(r)) {
      if (std::isfinite(component)) continue;
      return Status::invalid_argument(fmt::format("{}: row {}: {}", path, r, component));
    }
  }
  return {};
}

Status write_truth(const std::string& path, const ExactResult& exact) {
  Result<matrix::Output> out = matrix::Output::open(path);
  if (!out.ok()) return out.status();
  const std::span<const std::int32_t> rows(exact.rows);
  for (std::size_t at = 0; at < rows.size(); at += exact.columns) {
    Status s = matrix::write_ivecs_row(*out, rows.subspan(at, exact.columns));
    if (!s.ok()) return s;
  }
  return out->close();
}

int run(const TruthArguments& arguments) {
  Result<matrix::Matrix> base = load_rows(arguments.base, 0);
  if (!base.ok()) return print_error(base.status());
  Result<matrix::Matrix> query = load_rows(arguments.query, 0);
  if (!query.ok()) return print_error(query.status());
  if (base->dimension != query->dimension) {
    return print_error(
        Status::invalid_argument(fmt::format("{}: dimension {}, {} has {}", arguments.query,
                                             query->dimension, arguments.base, base->dimension)));
  }
  if (Status s = check_finite(*base, arguments.base); !s.ok()) return print_error(s);
  if (Status s = check_finite(*query, arguments.query); !s.ok()) return print_error(s);
  if (base->rows > static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max())) {
    return print_error(Status::invalid_argument(
        fmt::format("{}: {} rows, ivecs numbers at most 2^31 - 1", arguments.base, base->rows)));
  }
  tools::ProgressBar bar("comparing", base->rows * query->rows, "pairs");
  const Clock::time_point start = Clock::now();
  const ExactResult exact =
      exact_neighbors(*base, *query, arguments.metric.value_or(Metric::kCosine), arguments.k,
                      arguments.threads, until_interrupted(bar));
  if (Status s = check_interrupted(); !s.ok()) return print_error(s);
  bar.finish();
  if (Status s = write_truth(arguments.out, exact); !s.ok()) return print_error(s);
  Status printed = print_line({{"dataset", dataset_name(arguments.base)},
                               {"n", base->rows},
                               {"dim", base->dimension},
                               {"queries", query->rows},
                               {"k", exact.columns},
                               {"metric", metric_name(arguments.metric.value_or(Metric::kCosine))},
                               {"rescanned", exact.rescanned},
                               {"seconds", rounded(seconds_since(start), 3)},
                               {"out", arguments.out}});
  return printed.ok() ? 0 : print_error(printed);
}

}  // namespace

void add_truth(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<TruthArguments>();
  CLI::App* command = app.add_subcommand("truth", "Compute exact neighbors");
  tools::add_text(*command, "--base", arguments->base, "Vectors")->required();
  tools::add_text(*command, "--query", arguments->query, "Queries")->required();
  tools::add_text(*command, "--out", arguments->out, "File to write (.ivecs)")->required();
  tools::add_whole(*command, "-k", arguments->k, {1, 65536}, "Neighbors per query")
      ->capture_default_str();
  tools::add_metric(*command, arguments->metric);
  tools::add_whole(*command, "--threads", arguments->threads, tools::kThreads,
                   "Threads (default: one per CPU)");
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace vicinal::bench
