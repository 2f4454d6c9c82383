// vicinal stats: an index's numbers.
#include <fmt/core.h>

#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct Arguments {
  StoreArguments at;
  bool json = false;
};

int run(const Arguments& arguments) {
  Result<Opened> opened = open_index(arguments.at, {});
  if (!opened.ok()) return print_error(opened.status(), kExitCannotOpen);
  const Stats stats = opened->index.stats();
  if (arguments.json) {
    fmt::print("{}\n", to_json(stats).dump());
  } else {
    fmt::print("{}\n{}", opened->name, describe(stats));
  }
  return kExitOk;
}

}  // namespace

void add_stats(CLI::App& app, int& exit_code) {
  const auto [command, arguments] =
      add_index_command(app, "stats", "Print an index's numbers", run, exit_code);
  command->add_flag("--json", arguments->json, "Print JSON");
}

}  // namespace vicinal::tools
