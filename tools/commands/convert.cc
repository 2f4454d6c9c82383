// vicinal convert: a store of an earlier format becomes one of this release's.
#include <fmt/core.h>

#include <memory>

#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct ConvertArguments {
  StoreArguments at;
  bool json = false;
};

int run_convert(const ConvertArguments& arguments) {
  const Result<bool> converted = Store::convert(arguments.at.store);
  if (!converted.ok()) return print_error(converted.status(), kExitCannotOpen);
  if (arguments.json) {
    fmt::print("{}\n", json_text({{"store", arguments.at.store}, {"converted", *converted}}));
  } else {
    fmt::print("{} {}\n", arguments.at.store, *converted ? "is converted" : "needs no converting");
  }
  return kExitOk;
}

}  // namespace

void add_convert(CLI::App& app, int& exit_code) {
  auto arguments = std::make_shared<ConvertArguments>();
  CLI::App* command =
      app.add_subcommand("convert", "Make a store of an earlier format one of this release");
  command->footer(std::string("Needs room for a copy; a crash leaves the old store or the new.\n") +
                  kExitCodesHelp);
  add_store_arguments(*command, arguments->at, false);
  command->add_flag("--json", arguments->json, "Print JSON");
  command->callback([arguments, &exit_code] { exit_code = run_convert(*arguments); });
}

}  // namespace vicinal::tools
