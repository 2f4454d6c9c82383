// vicinal-bench rebuild: one batch upserted incrementally, and the same batch the way services did
// it before, by building the whole graph anew.
#include <memory>

#include "bench/vicinal_bench/common.h"
#include "tools/arguments.h"
#include "tools/names.h"

namespace vicinal::bench {
namespace {

struct RebuildArguments {
  IndexArguments index;
  std::string base;
  std::uint64_t preload = 0;
  std::uint64_t batch = 100;
};

struct Outcome {
  double seconds = 0;
  std::string target;
};

/// Preloads an index of its own and times the batch.
Result<Outcome> measure(const RebuildArguments& arguments, const matrix::Matrix& base,
                        bool rebuild_on_upsert) {
  const char* name = rebuild_on_upsert ? "rebuilt" : "incremental";
  IndexOptions options = arguments.index.options(base.dimension);
  options.rebuild_on_upsert = rebuild_on_upsert;
  options.reserve = base.rows;
  Result<Bench> bench = make_bench(arguments.index, options, name);
  if (!bench.ok()) return bench.status();
  const std::string words = std::string("preloading, ") + name;
  if (Status s = preload(bench->index, base, arguments.preload, words); !s.ok()) return s;
  const std::vector<Label> labels = counted_labels(arguments.preload, arguments.batch);
  BatchOptions batch;
  batch.progress = until_interrupted();
  const Clock::time_point start = Clock::now();
  Result<BatchResult> done =
      bench->index.upsert_batch(labels, base.range(arguments.preload, arguments.batch), batch);
  Outcome outcome;
  outcome.seconds = seconds_since(start);
  if (!done.ok()) return done.status();
  outcome.target = bench->index.stats().target;
  return outcome;
}

int run(const RebuildArguments& arguments) {
  Result<matrix::Matrix> base = load_rows(arguments.base, arguments.preload + arguments.batch);
  if (!base.ok()) return print_error(base.status());
  Result<Outcome> incremental = measure(arguments, *base, false);
  if (!incremental.ok()) return print_error(incremental.status());
  Result<Outcome> rebuilt = measure(arguments, *base, true);
  if (!rebuilt.ok()) return print_error(rebuilt.status());
  const IndexOptions options = arguments.index.options(base->dimension);
  Status printed = print_line(
      {{"engine", "vicinal"},
       {"dataset", dataset_name(arguments.base)},
       {"preload", arguments.preload},
       {"batch", arguments.batch},
       {"dim", base->dimension},
       {"M", options.M},
       {"ef_construction", options.ef_construction},
       {"threads", arguments.index.thread_count()},
       {"target", incremental->target},
       {"quantization", quantization_name(options.quantization)},
       {"storage", storage_name(options.storage)},
       {"durability",
        arguments.index.store.empty() ? "memory" : durability_name(arguments.index.durability)},
       {"incremental_s", rounded(incremental->seconds, 6)},
       {"rebuild_s", rounded(rebuilt->seconds, 6)},
       {"ratio", rounded(rebuilt->seconds / incremental->seconds, 2)}});
  return printed.ok() ? 0 : print_error(printed);
}

}  // namespace

void add_rebuild(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<RebuildArguments>();
  CLI::App* command =
      app.add_subcommand("rebuild", "One batch incrementally against a rebuild of the graph");
  tools::add_text(*command, "--base", arguments->base, "Vectors")->required();
  tools::add_whole(*command, "--preload", arguments->preload, tools::kRows, "Rows loaded before")
      ->required();
  tools::add_whole(*command, "--batch", arguments->batch, tools::kSomeRows, "Rows of the batch")
      ->capture_default_str();
  add_index_arguments(*command, arguments->index);
  command->callback([arguments, &exit_code] { exit_code = run(*arguments); });
}

}  // namespace vicinal::bench
