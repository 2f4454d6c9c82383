// vicinal-bench insert: latency of single upserts into an index that holds much already.
#include <memory>

#include "bench/vicinal_bench/common.h"
#include "tools/arguments.h"
#include "tools/names.h"
#include "tools/progress.h"

namespace vicinal::bench {
namespace {

struct InsertArguments {
  IndexArguments index;
  std::string base;
  std::uint64_t preload = 0;
  std::uint64_t extra = 1000;
};

int run(const InsertArguments& arguments) {
  Result<matrix::Matrix> base = load_rows(arguments.base, arguments.preload + arguments.extra);
  if (!base.ok()) return print_error(base.status());
  IndexOptions options = arguments.index.options(base->dimension);
  options.reserve = base->rows;
  Result<Bench> bench = make_bench(arguments.index, options);
  if (!bench.ok()) return print_error(bench.status());
  Index& index = bench->index;
  if (Status s = preload(index, *base, arguments.preload, "preloading"); !s.ok()) {
    return print_error(s);
  }

  Latencies latencies;
  latencies.reserve(arguments.extra);
  tools::ProgressBar bar("upserting", arguments.extra, "rows");
  for (std::uint64_t i = 0; i < arguments.extra; ++i) {
    if (Status s = check_interrupted(); !s.ok()) return print_error(s);
    const std::uint64_t row = arguments.preload + i;
    const Clock::time_point start = Clock::now();
    Result<UpsertOutcome> done = index.upsert(row, base->row(row));
    latencies.add(seconds_since(start));
    if (!done.ok()) return print_error(done.status());
    bar.update(i + 1);
  }
  bar.finish();
  const Stats stats = index.stats();
  Status printed = print_line(
      {{"engine", "vicinal"},
       {"dataset", dataset_name(arguments.base)},
       {"preload", arguments.preload},
       {"extra", arguments.extra},
       {"dim", base->dimension},
       {"M", stats.options.M},
       {"ef_construction", stats.options.ef_construction},
       {"target", stats.target},
       {"quantization", quantization_name(stats.options.quantization)},
       {"storage", storage_name(stats.options.storage)},
       {"durability",
        bench->store.has_value() ? durability_name(arguments.index.durability) : "memory"},
       {"mean_us", rounded(latencies.mean_us(), 2)},
       {"p50_us", rounded(latencies.percentile_us(0.5), 2)},
       {"p99_us", rounded(latencies.percentile_us(0.99), 2)}});
  return printed.ok() ? 0 : print_error(printed);
}

}  // namespace

void add_insert(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<InsertArguments>();
  CLI::App* command = app.add_subcommand("insert", "Latency of single upserts after a preload");
  tools::add_text(*command, "--base", arguments->base, "Vectors")->required();
  tools::add_whole(*command, "--preload", arguments->preload, tools::kRows, "Rows loaded before")
      ->required();
  tools::add_whole(*command, "--extra", arguments->extra, tools::kSomeRows,
                   "Rows upserted one by one")
      ->capture_default_str();
  add_index_arguments(*command, arguments->index);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace vicinal::bench
