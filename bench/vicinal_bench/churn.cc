// vicinal-bench churn: rounds of erasing and inserting, and what they do to recall, speed, memory
// and disk.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "bench/vicinal_bench/churn_world.h"
#include "bench/vicinal_bench/common.h"
#include "tools/arguments.h"
#include "tools/progress.h"

namespace vicinal::bench {
namespace {

struct ChurnArguments {
  IndexArguments index;
  ChurnShape shape;
  std::string base;
  std::string query;
  std::uint64_t rounds = 20;
  std::uint64_t held_out = 500;
  bool fresh = false;
  bool no_repair = false;
};

struct ChurnInputs {
  matrix::Matrix base;
  matrix::Matrix query;
  std::uint64_t usable = 0;  ///< rows of the base that may become live
};

/// The queries are a file's, or the last rows of the base, which then never become live.
Result<ChurnInputs> load_inputs(const ChurnArguments& arguments) {
  ChurnInputs in;
  Result<matrix::Matrix> base = load_rows(arguments.base, 0);
  if (!base.ok()) return base.status();
  in.base = std::move(*base);
  in.usable = in.base.rows;
  if (!arguments.query.empty()) {
    Result<matrix::Matrix> query = load_rows(arguments.query, 0);
    if (!query.ok()) return query.status();
    in.query = std::move(*query);
    if (in.query.dimension != in.base.dimension) {
      return Status::invalid_argument(fmt::format("{}: dimension {}, {} has {}", arguments.query,
                                                  in.query.dimension, arguments.base,
                                                  in.base.dimension));
    }
  } else {
    in.query.rows = std::min(arguments.held_out, in.base.rows / 2);
    in.query.dimension = in.base.dimension;
    in.usable -= in.query.rows;
    const std::span<const float> last = in.base.range(in.usable, in.query.rows);
    in.query.values.assign(last.begin(), last.end());
  }
  if (arguments.shape.k > arguments.shape.live) {
    return Status::invalid_argument(
        fmt::format("k is {}, {} vectors live", arguments.shape.k, arguments.shape.live));
  }
  const double wanted =
      static_cast<double>(arguments.shape.live) * (1.0 + arguments.shape.fraction);
  if (in.query.rows == 0 || static_cast<double>(in.usable) < std::ceil(wanted) ||
      in.usable > std::numeric_limits<std::uint32_t>::max()) {
    return Status::invalid_argument(
        fmt::format("{}: {} rows, {} as queries; {} live and a fraction of {} need {:.0f}",
                    arguments.base, in.base.rows, in.base.rows - in.usable, arguments.shape.live,
                    arguments.shape.fraction, std::ceil(wanted)));
  }
  return in;
}

/// Recall of a graph built anew from the present live set, in memory, with the same options.
Result<Quality> fresh_quality(const ChurnArguments& arguments, const ChurnWorld& world,
                              std::uint32_t dimension) {
  Result<Index> index = Index::in_memory(arguments.index.options(dimension));
  if (!index.ok()) return index.status();
  if (Status s = world.fill(*index, until_interrupted()); !s.ok()) return s;
  return world.quality(*index, arguments.index.threads);
}

Status run_round(const ChurnArguments& arguments, std::uint64_t round, ChurnWorld& world,
                 Index& index) {
  Result<PhaseTimes> churned = world.churn(index);
  if (!churned.ok()) return churned.status();
  PhaseTimes repaired;
  if (!arguments.no_repair) {
    Result<PhaseTimes> times = world.repair(index);
    if (!times.ok()) return times.status();
    repaired = *times;
  }
  // What a service does now and then; the file's size is that of a store at rest.
  if (Status s = index.checkpoint(until_interrupted()); !s.ok()) return s;
  Result<Quality> quality = world.quality(index, arguments.index.threads);
  if (!quality.ok()) return quality.status();
  ValidateOptions validation;
  validation.progress = until_interrupted();
  Result<ValidateReport> report = index.validate(validation);
  if (!report.ok()) return report.status();
  const Stats stats = index.stats();
  const double pause =
      std::max({churned->longest_write, churned->longest_search, repaired.longest_search});
  Json line = {
      {"round", round},
      {"live", stats.live},
      {"recall", rounded(quality->recall, 5)},
      {"qps", rounded(quality->qps, 1)},
      {"unreachable", report->unreachable},
      {"problems", report->problems},
      {"tombstones", stats.tombstones},
      {"bytes_in_memory", stats.bytes_in_memory()},
      {"bytes_on_disk", stats.bytes_disk},
      {"writes_per_s", rounded(2.0 * static_cast<double>(world.replaced()) / churned->seconds, 1)},
      {"repair_s", rounded(repaired.seconds, 4)},
      {"longest_slice_ms", rounded(repaired.longest_slice * 1e3, 3)},
      {"longest_pause_ms", rounded(pause * 1e3, 3)}};
  if (arguments.fresh) {
    Result<Quality> fresh = fresh_quality(arguments, world, index.dimension());
    if (!fresh.ok()) return fresh.status();
    line["fresh_recall"] = rounded(fresh->recall, 5);
    line["fresh_qps"] = rounded(fresh->qps, 1);
  }
  return print_line(line);
}

int run(const ChurnArguments& arguments) {
  Result<ChurnInputs> in = load_inputs(arguments);
  if (!in.ok()) return print_error(in.status());
  IndexOptions options = arguments.index.options(in->base.dimension);
  options.reserve = arguments.shape.live;
  Result<Bench> bench = make_bench(arguments.index, options);
  if (!bench.ok()) return print_error(bench.status());
  ChurnWorld world(in->base, in->usable, in->query, arguments.shape);
  {
    tools::ProgressBar bar("filling", arguments.shape.live, "rows");
    if (Status s = world.fill(bench->index, bar.callback_from(0)); !s.ok()) return print_error(s);
  }
  tools::ProgressBar bar("churning", arguments.rounds, "rounds");
  for (std::uint64_t round = 1; round <= arguments.rounds; ++round) {
    Status s = check_interrupted();
    if (s.ok()) s = run_round(arguments, round, world, bench->index);
    if (!s.ok()) return print_error(s);
    bar.update(round);
  }
  bar.finish();
  if (!bench->store.has_value()) return 0;
  const Status closed = bench->store->close();
  return closed.ok() ? 0 : print_error(closed);
}

}  // namespace

void add_churn(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<ChurnArguments>();
  // Two writes a vector and a round: with an fsync for each, the disk would be measured.
  arguments->index.durability = Durability::kRelaxed;
  CLI::App* command = app.add_subcommand("churn", "Erase and insert in rounds");
  ChurnShape& shape = arguments->shape;
  tools::add_text(*command, "--base", arguments->base, "Vectors")->required();
  tools::add_whole(*command, "--live", shape.live, tools::kSomeRows,
                   "Vectors that live at any time")
      ->required();
  tools::add_whole(*command, "--rounds", arguments->rounds, tools::kRows, "Rounds")
      ->capture_default_str();
  tools::add_real(*command, "--fraction", shape.fraction, {0, 1}, "Part replaced a round")
      ->capture_default_str();
  tools::add_text(*command, "--query", arguments->query, "Queries (default: held out of the base)");
  tools::add_whole(*command, "--held-out", arguments->held_out, tools::kRows,
                   "Rows held out as queries")
      ->capture_default_str();
  tools::add_whole(*command, "--writers", shape.writers, {1, 256}, "Threads that erase and insert")
      ->capture_default_str();
  tools::add_whole(*command, "--searchers", shape.searchers, {0, 256},
                   "Threads that search meanwhile")
      ->capture_default_str();
  tools::add_whole(*command, "--repair-slice", shape.repair_slice, tools::kSomeRows,
                   "Nodes a slice of repair")
      ->capture_default_str();
  command->add_flag("--no-repair", arguments->no_repair,
                    "Leave repair to the index itself (repair_share)");
  command->add_flag("--fresh", arguments->fresh,
                    "Also build the live set anew each round, for comparison");
  tools::add_whole(*command, "-k", shape.k, tools::kSomeRows, "Neighbors")->capture_default_str();
  tools::add_whole(*command, "--ef", shape.ef, tools::kEf, "Candidates kept by a search")
      ->capture_default_str();
  tools::add_whole(*command, "--churn-seed", shape.seed, {}, "Seed of what is erased")
      ->capture_default_str();
  add_index_arguments(*command, arguments->index);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace vicinal::bench
