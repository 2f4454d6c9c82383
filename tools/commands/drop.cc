// vicinal drop: deletes an index and everything stored for it, once the user said so.
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct DropArguments {
  StoreArguments at;
  bool yes = false;
  bool json = false;
};

/// What is to be dropped, in words; a damaged index, whose vectors cannot be counted, can go too.
std::string described(const DropArguments& arguments, const Result<StoredStats>& stats) {
  return fmt::format(
      "index {} of {} ({})", arguments.at.index, arguments.at.store,
      stats.ok() ? grouped(stats->live) + " vectors" : "damaged: " + stats.status().message());
}

/// OK when the user agrees.
Status ask(const DropArguments& arguments, const std::string& what) {
  if (arguments.yes) return {};
  if (isatty(STDIN_FILENO) != 1) {
    return Status::invalid_argument(
        fmt::format("{} is not dropped: say --yes, as there is no terminal to ask at", what));
  }
  fmt::print(stderr, "Drop {} for good? [y/N] ", what);
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return Status::cancelled(what + " is not dropped");
}

int run_drop(const DropArguments& arguments) {
  OpenMode mode;
  mode.read_only = false;
  mode.background = false;
  Result<Store> store = open_store(arguments.at.store, mode);
  if (!store.ok()) return print_error(store.status(), kExitCannotOpen);
  const std::string& name = arguments.at.index;
  const Result<StoredStats> stats = store->stored_stats(name);
  if (stats.status().code() == StatusCode::kNotFound) {
    return print_error(stats.status(), kExitCannotOpen);
  }
  if (Status s = ask(arguments, described(arguments, stats)); !s.ok()) return print_error(s);
  if (Status s = store->drop_index(name); !s.ok()) return print_error(s);
  const std::uint64_t live = stats.ok() ? stats->live : 0;
  if (arguments.json) {
    fmt::print("{}\n", json_text({{"dropped", name}, {"vectors", live}}));
  } else {
    fmt::print("dropped {}\n", described(arguments, stats));
  }
  return close_store(*store, "the index is dropped");
}

}  // namespace

void add_drop(CLI::App& app, int& exit_code) {
  const auto [command, arguments] =
      add_index_command(app, "drop", "Delete an index of a store", run_drop, exit_code);
  command->footer(std::string("Asks first, unless --yes was given; without a terminal --yes is "
                              "needed.\n") +
                  kExitCodesHelp);
  command->get_option("--index")->required()->description("Name of the index");
  command->add_flag("--yes", arguments->yes, "Do not ask");
  command->add_flag("--json", arguments->json, "Print JSON");
}

}  // namespace vicinal::tools
