// vicinal repair: unlinks tombstones, frees their slots and mends the graph, in slices.
#include <fmt/core.h>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/progress.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct RepairArguments {
  StoreArguments at;
  std::uint64_t slice = 0;
  bool salvage = false;
  bool json = false;
};

constexpr const char* kKept = "every vector is stored, but repair's work is not: run it again";

int run_repair(const RepairArguments& arguments) {
  OpenMode mode;
  mode.read_only = false;
  mode.salvage = arguments.salvage;
  Result<Opened> opened = open_index(arguments.at, mode);
  if (!opened.ok()) return print_error(opened.status(), kExitCannotOpen);
  ProgressBar bar("repairing " + opened->name, 0, "nodes");
  RepairOptions options;
  options.slice = arguments.slice;
  options.progress = bar.callback();
  Result<RepairResult> result = opened->index.repair(options);
  bar.finish();
  if (!result.ok()) return print_error(result.status());
  const Stats stats = opened->index.stats();
  if (arguments.json) {
    Json json = to_json(*result);
    json["live"] = stats.live;
    json["tombstones"] = stats.tombstones;
    json["salvaged"] = stats.salvaged;
    fmt::print("{}\n", json_text(json));
    return close_store(opened->store, kKept);
  }
  fmt::print(
      "repaired {}: {} nodes examined, {} relinked, {} slots freed, {} unreachable mended; "
      "{} live, {} tombstones{}\n",
      opened->name, grouped(result->nodes_examined), grouped(result->nodes_relinked),
      grouped(result->slots_freed), grouped(result->unreachable_mended), grouped(stats.live),
      grouped(stats.tombstones), result->finished ? "" : "; not finished, run it again");
  return close_store(opened->store, kKept);
}

}  // namespace

void add_repair(CLI::App& app, int& exit_code) {
  const auto [command, arguments] = add_index_command(
      app, "repair", "Clear tombstones away and mend the graph", run_repair, exit_code);
  add_whole(*command, "--slice", arguments->slice, kRows, "Most nodes examined (default: all)");
  command->add_flag("--salvage", arguments->salvage,
                    "Open despite damaged vectors and set them aside, which loses them");
  command->add_flag("--json", arguments->json, "Print JSON");
}

}  // namespace vicinal::tools
