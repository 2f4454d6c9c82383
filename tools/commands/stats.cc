// vicinal stats: the numbers of every index of a store, or of one, from the file; --load adds what it
// takes in memory.
#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct StatsArguments {
  StoreArguments at;
  bool load = false;
  bool json = false;
};

template <typename Numbers>
void print(const StatsArguments& arguments, const Numbers& stats) {
  if (arguments.json) {
    fmt::print("{}\n", json_text(to_json(stats)));
  } else {
    fmt::print("{}\n{}", stats.name, describe(stats));
  }
}

int print_index(const StatsArguments& arguments, Store& store, const std::string& name) {
  if (arguments.load) {
    Result<Index> index = open_index(store, name, {});
    if (!index.ok()) return print_error(index.status(), kExitCannotOpen);
    print(arguments, index->stats());
    return kExitOk;
  }
  Result<StoredStats> stats = store.stored_stats(name);
  if (!stats.ok()) return print_error(stats.status(), kExitCannotOpen);
  print(arguments, *stats);
  return kExitOk;
}

int run_stats(const StatsArguments& arguments) {
  Result<Store> store = open_store(arguments.at.store, {});
  if (!store.ok()) return print_error(store.status(), kExitCannotOpen);
  Result<std::vector<std::string>> names = store->index_names();
  if (!names.ok()) return print_error(names.status(), kExitCannotOpen);
  if (!arguments.at.index.empty()) names = std::vector<std::string>{arguments.at.index};
  if (names->empty()) {
    return print_error(Status::not_found(arguments.at.store + ": the store has no index"),
                       kExitCannotOpen);
  }
  int code = kExitOk;
  for (const std::string& name : *names) {
    code = std::max(code, print_index(arguments, *store, name));
  }
  return code;
}

}  // namespace

void add_stats(CLI::App& app, int& exit_code) {
  const auto [command, arguments] = add_index_command(
      app, "stats", "Print the numbers of all indexes, or of one", run_stats, exit_code);
  command->add_flag("--load", arguments->load,
                    "Load the index: what it takes in memory, its links");
  command->add_flag("--json", arguments->json, "A JSON object per index");
}

}  // namespace vicinal::tools
