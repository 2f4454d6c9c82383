// vicinal backup: a compact copy of a whole store; also the way to shrink one.
#include <fmt/core.h>

#include <chrono>
#include <memory>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct BackupArguments {
  StoreArguments at;
  std::string to;
  bool json = false;
};

int run_backup(const BackupArguments& arguments) {
  Result<Store> store = open_store(arguments.at.store, {});
  if (!store.ok()) return print_error(store.status(), kExitCannotOpen);
  const auto start = std::chrono::steady_clock::now();
  if (Status s = store->backup(arguments.to); !s.ok()) return print_error(s);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (arguments.json) {
    fmt::print(
        "{}\n",
        json_text({{"store", arguments.at.store}, {"copy", arguments.to}, {"seconds", seconds}}));
  } else {
    fmt::print("copied {} to {} in {}\n", arguments.at.store, arguments.to, human_seconds(seconds));
  }
  return kExitOk;
}

}  // namespace

void add_backup(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<BackupArguments>();
  CLI::App* command = app.add_subcommand("backup", "Copy a store, compactly");
  command->footer(std::string("Runs beside a writer: the copy is the store of one moment.\n") +
                  kExitCodesHelp);
  add_store_arguments(*command, arguments->at, false);
  add_text(*command, "to", arguments->to, "Folder of the copy, absent or empty")->required();
  command->add_flag("--json", arguments->json, "Print JSON");
  command->callback([arguments, &exit_code] { exit_code = run_backup(*arguments); });
}

}  // namespace vicinal::tools
