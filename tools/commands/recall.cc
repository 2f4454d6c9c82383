// vicinal recall: recall of stored vectors as queries against exact search, on a sample.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct RecallArguments {
  StoreArguments at;
  RecallOptions options;
  bool json = false;
};

int run_recall(const RecallArguments& arguments) {
  Result<Opened> opened = open_index(arguments.at, {});
  if (!opened.ok()) return print_error(opened.status(), kExitCannotOpen);
  const auto start = std::chrono::steady_clock::now();
  Result<double> recall = opened->index.recall(arguments.options);
  if (!recall.ok()) return print_error(recall.status());
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const RecallOptions& o = arguments.options;
  const std::size_t ef = o.ef_search != 0 ? o.ef_search : opened->index.options().ef_search;
  // Each live vector is drawn once at most.
  const std::uint64_t samples = std::min<std::uint64_t>(o.samples, opened->index.size());
  if (arguments.json) {
    fmt::print("{}\n", json_text({{"k", o.k},
                                  {"ef", ef},
                                  {"samples", samples},
                                  {"seed", o.seed},
                                  {"recall", *recall},
                                  {"seconds", seconds}}));
  } else {
    fmt::print("recall@{} {:.4f}  ({} samples, ef {}, {})\n", o.k, *recall, grouped(samples), ef,
               human_seconds(seconds));
  }
  return kExitOk;
}

}  // namespace

void add_recall(CLI::App& app, int& exit_code) {
  const auto [command, arguments] = add_index_command(
      app, "recall", "Measure recall against exact search", run_recall, exit_code);
  RecallOptions& options = arguments->options;
  add_whole(*command, "--samples", options.samples, kSomeRows, "Stored vectors used as queries")
      ->capture_default_str();
  add_whole(*command, "-k", options.k, kSomeRows, "Neighbors compared")->capture_default_str();
  add_whole(*command, "--ef", options.ef_search, kEf, "Candidates kept (default: the index's)");
  add_whole(*command, "--seed", options.seed, {}, "Seed of the sample")->capture_default_str();
  add_whole(*command, "--threads", options.threads, kThreads, "Threads (default: one per CPU)");
  command->add_flag("--json", arguments->json, "Print JSON");
}

}  // namespace vicinal::tools
