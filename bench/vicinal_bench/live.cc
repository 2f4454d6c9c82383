// vicinal-bench live: searches of an index in use, beside writers, batches and maintenance.
//
// A JSON line a phase. Times that end in _x are ratios by the control, searched in turns with the
// measured index at the same load: see live_world.h.
#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "bench/vicinal_bench/common.h"
#include "bench/vicinal_bench/live_line.h"
#include "bench/vicinal_bench/live_phases.h"
#include "bench/vicinal_bench/live_run.h"
#include "bench/vicinal_bench/live_tombstones.h"
#include "bench/vicinal_bench/live_world.h"
#include "tools/arguments.h"

namespace vicinal::bench {
namespace {

// Rows that are left for writers: eight of them hold one each.
constexpr std::uint64_t kFewestSpare = 16;
constexpr std::uint64_t kFewestPreload = 100;

struct LiveArguments {
  IndexArguments index;
  LiveShape shape;
  std::string base;
  std::string query;
  std::uint64_t queries = 1000;
  std::vector<std::string> phases;
};

struct LiveInputs {
  matrix::Matrix base;
  matrix::Matrix query;
};

Result<LiveInputs> load_inputs(const LiveArguments& arguments) {
  LiveInputs in;
  Result<matrix::Matrix> query = matrix::load(arguments.query, arguments.queries);
  if (!query.ok()) return query.status();
  in.query = std::move(*query);
  Result<matrix::Matrix> base = load_rows(arguments.base, 0);
  if (!base.ok()) return base.status();
  in.base = std::move(*base);
  if (in.query.rows == 0 || in.query.dimension != in.base.dimension) {
    return Status::invalid_argument(fmt::format("{}: {} queries of dimension {}, {} has {}",
                                                arguments.query, in.query.rows, in.query.dimension,
                                                arguments.base, in.base.dimension));
  }
  if (in.base.rows >= std::numeric_limits<std::int32_t>::max()) {
    return Status::invalid_argument(
        fmt::format("{}: {} rows, at most 2^31 - 1", arguments.base, in.base.rows));
  }
  const std::uint64_t preload = arguments.shape.preload;
  if (in.base.rows < kFewestPreload + kFewestSpare ||
      (preload != 0 && (preload < kFewestPreload || preload + kFewestSpare > in.base.rows))) {
    return Status::invalid_argument(fmt::format(
        "{}: {} rows, a preload of {}: {} at least are preloaded, {} at least left for writers",
        arguments.base, in.base.rows, preload, kFewestPreload, kFewestSpare));
  }
  return in;
}

/// One run of the command.
class Live {
 public:
  Live(const LiveArguments& arguments, const LiveInputs& in)
      : in_(in),
        shape_(arguments.shape),
        metric_(arguments.index.metric.value_or(Metric::kCosine)),
        world_(arguments.index, in.base) {
    if (shape_.preload == 0) {
      shape_.preload = std::min(in.base.rows * 9 / 10, in.base.rows - kFewestSpare);
    }
  }

  Status open() { return world_.open(); }
  Status run(const Phase& phase);

 private:
  const EraseOrder& order(const Phase& phase);
  LiveWorld::Setup setup(const Phase& phase);
  PhaseRecall judge_phase(const PhaseOutcome& outcome);
  Status add_tombstones(const Phase& phase, const LiveWorld::Setup& setup,
                        const PhaseRecall& judged, Json& line);

  const LiveInputs& in_;
  LiveShape shape_;
  Metric metric_;
  LiveWorld world_;
  std::optional<EraseOrder> random_;
  std::optional<EraseOrder> near_;
};

const EraseOrder& Live::order(const Phase& phase) {
  if (phase.tombstones == Tombstones::kNear) {
    if (!near_.has_value()) {
      near_ = near_order(in_.base, shape_.preload, in_.query, metric_, shape_.seed);
    }
    return *near_;
  }
  if (!random_.has_value()) random_ = random_order(shape_.preload, shape_.seed);
  return *random_;
}

LiveWorld::Setup Live::setup(const Phase& phase) {
  LiveWorld::Setup setup;
  setup.preload = preload_of(phase, shape_.preload, in_.base.rows);
  setup.bystander = phase.trickle;
  // At rest, and beside a repair that is asked for, the tombstones are to stay.
  const bool stay = phase.at_rest() || phase.activity == ActivityKind::kRepair;
  setup.repair_share = stay ? 0 : IndexOptions().repair_share;
  if (phase.tombstones == Tombstones::kNone) return setup;
  setup.fresh_control = phase.tombstones != Tombstones::kOne;
  const double share = phase.share * static_cast<double>(setup.preload);
  setup.erased = order(phase).first(setup.fresh_control ? static_cast<std::uint64_t>(share) : 1);
  return setup;
}

PhaseRecall Live::judge_phase(const PhaseOutcome& outcome) {
  LiveIndex& control = world_.control();
  const History quiet(control.first, {});
  if (control.ranking.columns == 0) {
    control.ranking = rank(in_.base, quiet.rows(), in_.query, metric_, shape_.k);
  }
  const History history(world_.measured().first, outcome.log);
  PhaseRecall judged;
  judged.control = judge(quiet, control.ranking, outcome.control.answers, shape_.k);
  if (history.rows() == quiet.rows()) {
    judged.measured = judge(history, control.ranking, outcome.measured.answers, shape_.k);
  } else {
    const Ranking ranking = rank(in_.base, history.rows(), in_.query, metric_, shape_.k);
    judged.measured = judge(history, ranking, outcome.measured.answers, shape_.k);
  }
  return judged;
}

Status Live::add_tombstones(const Phase& phase, const LiveWorld::Setup& setup,
                            const PhaseRecall& judged, Json& line) {
  line["fresh_recall"] = line["control_recall"];
  Result<EqualRecall> equal =
      equal_recall(world_, in_.query, world_.control().ranking, shape_.k, shape_.ef);
  if (!equal.ok()) return equal.status();
  line["p50_x_equal_recall"] = nullptr;
  line["ef_equal_recall"] = nullptr;
  if (equal->reached) {
    line["p50_x_equal_recall"] = rounded(equal->p50_x, 3);
    line["ef_equal_recall"] = rounded(equal->ef, 1);
  }
  if (phase.tombstones != Tombstones::kNear) return {};
  const std::vector<std::uint64_t> emptied = order(phase).emptied(setup.erased.size());
  line["near_queries"] = emptied.size();
  if (emptied.empty()) return {};
  line["near_recall"] = rounded(recall(judged.measured, judged.control, emptied), 5);
  line["near_fresh_recall"] = rounded(recall(judged.control, judged.measured, emptied), 5);
  return {};
}

Status Live::run(const Phase& phase) {
  const LiveWorld::Setup wanted = setup(phase);
  if (Status s = world_.prepare(wanted); !s.ok()) return s;
  Result<PhaseOutcome> outcome = run_phase(world_, in_.query, shape_, phase);
  if (!outcome.ok()) return outcome.status();
  const PhaseRecall judged = judge_phase(*outcome);
  Json line = phase_line(phase, shape_, *outcome, judged);
  line["target"] = world_.measured().index().stats().target;
  line["durability"] = world_.stored() ? durability_name(world_.arguments().durability) : "memory";
  if (wanted.fresh_control) {
    if (Status s = add_tombstones(phase, wanted, judged, line); !s.ok()) return s;
  }
  return print_line(line);
}

int run(const LiveArguments& arguments) {
  Result<std::vector<Phase>> phases =
      choose_phases(arguments.phases, !arguments.index.store.empty());
  if (!phases.ok()) return print_error(phases.status());
  Result<LiveInputs> in = load_inputs(arguments);
  if (!in.ok()) return print_error(in.status());
  Live live(arguments, *in);
  if (Status s = live.open(); !s.ok()) return print_error(s);
  for (const Phase& phase : *phases) {
    const Status status = check_interrupted().ok() ? live.run(phase) : check_interrupted();
    if (status.ok()) continue;
    return print_error(
        Status(status.code(), fmt::format("phase {}: {}", phase.name, status.message())));
  }
  return 0;
}

}  // namespace

void add_live(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<LiveArguments>();
  // With an fsync a write, the disk would be measured.
  arguments->index.durability = Durability::kRelaxed;
  LiveShape& shape = arguments->shape;
  CLI::App* command =
      app.add_subcommand("live", "Searches beside writers, batches and maintenance, by phase");
  tools::add_text(*command, "--base", arguments->base, "Vectors")->required();
  tools::add_text(*command, "--query", arguments->query, "Queries")->required();
  tools::add_whole(*command, "--queries", arguments->queries, tools::kSomeRows,
                   "Queries used, the first of the file")
      ->capture_default_str();
  tools::add_whole(*command, "--preload", shape.preload, tools::kRows,
                   "Rows loaded before; the rest are for writers (default: nine tenths)");
  tools::add_real(*command, "--seconds", shape.seconds, {0.01, 86400},
                  "Searching a phase, the control's included")
      ->capture_default_str();
  tools::add_real(*command, "--longest", shape.longest, {0.01, 1e9},
                  "Seconds after which a phase is cut short")
      ->capture_default_str();
  tools::add_real(*command, "--write-share", shape.write_share, {0, 1},
                  "Of the index, what writers write in a phase; 0: as fast as they can")
      ->capture_default_str();
  command->add_option("--phases", arguments->phases, "Names by comma (default: all that apply)")
      ->delimiter(',');
  tools::add_whole(*command, "--ef", shape.ef, {1, 100000}, "Candidates kept by a search")
      ->capture_default_str();
  tools::add_whole(*command, "-k", shape.k, {1, 1000}, "Neighbors")->capture_default_str();
  tools::add_whole(*command, "--live-seed", shape.seed, {}, "Seed of what is written and erased")
      ->capture_default_str();
  add_index_arguments(*command, arguments->index);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace vicinal::bench
