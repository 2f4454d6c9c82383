// vicinal list: the indexes of a store, a line each.
#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct ListArguments {
  StoreArguments at;
  bool json = false;
};

void print(const StoredStats& stats) {
  const bool rounded = stats.options.storage != Storage::kFloat32;
  fmt::print("{}: {} live, dimension {}, {}, {}{}{}\n", stats.name, grouped(stats.live),
             stats.options.dimension, metric_name(stats.options.metric),
             quantization_name(stats.options.quantization), rounded ? ", stored as " : "",
             rounded ? storage_name(stats.options.storage) : "");
}

int run_list(const ListArguments& arguments) {
  Result<Store> store = open_store(arguments.at.store, {});
  if (!store.ok()) return print_error(store.status(), kExitCannotOpen);
  Result<std::vector<std::string>> names = store->index_names();
  if (!names.ok()) return print_error(names.status(), kExitCannotOpen);
  if (names->empty() && !arguments.json) fmt::print("no index in the store\n");
  int code = kExitOk;
  for (const std::string& name : *names) {
    Result<StoredStats> stats = store->stored_stats(name);
    if (!stats.ok()) {
      code = std::max(code, print_error(stats.status(), kExitCannotOpen));
    } else if (arguments.json) {
      fmt::print(
          "{}\n",
          json_text({{"name", name}, {"live", stats->live}, {"options", to_json(stats->options)}}));
    } else {
      print(*stats);
    }
  }
  return code;
}

}  // namespace

void add_list(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<ListArguments>();
  CLI::App* command = app.add_subcommand("list", "List the indexes of a store");
  command->footer(kExitCodesHelp);
  add_store_arguments(*command, arguments->at, false);
  command->add_flag("--json", arguments->json, "A JSON object per index");
  command->callback([arguments, &exit_code] { exit_code = run_list(*arguments); });
}

}  // namespace vicinal::tools
