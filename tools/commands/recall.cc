// vicinal recall: recall of stored vectors as queries against exact search, on a sample.
#include <fmt/core.h>

#include <chrono>

#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct Arguments {
  StoreArguments at;
  RecallOptions options;
  bool json = false;
};

int run(const Arguments& arguments) {
  Result<Opened> opened = open_index(arguments.at, {});
  if (!opened.ok()) return print_error(opened.status(), kExitCannotOpen);
  const auto start = std::chrono::steady_clock::now();
  Result<double> recall = opened->index.recall(arguments.options);
  if (!recall.ok()) return print_error(recall.status());
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const RecallOptions& o = arguments.options;
  const std::size_t ef = o.ef_search != 0 ? o.ef_search : opened->index.options().ef_search;
  if (arguments.json) {
    fmt::print("{}\n", Json{{"k", o.k},
                            {"ef", ef},
                            {"samples", o.samples},
                            {"seed", o.seed},
                            {"recall", *recall},
                            {"seconds", seconds}}
                           .dump());
  } else {
    fmt::print("recall@{} {:.4f}  ({} samples, ef {}, {})\n", o.k, *recall, grouped(o.samples), ef,
               human_seconds(seconds));
  }
  return kExitOk;
}

}  // namespace

void add_recall(CLI::App& app, int& exit_code) {
  const auto [command, arguments] =
      add_index_command(app, "recall", "Measure recall against exact search", run, exit_code);
  RecallOptions& options = arguments->options;
  command->add_option("--samples", options.samples, "Stored vectors used as queries")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("-k", options.k, "Neighbors compared")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--ef", options.ef_search, "Candidates kept (default: the index's)");
  command->add_option("--seed", options.seed, "Seed of the sample")->capture_default_str();
  command->add_option("--threads", options.threads, "Threads (default: one per CPU)");
  command->add_flag("--json", arguments->json, "Print JSON");
}

}  // namespace vicinal::tools
