// vicinal cpu: the kernels' CPU targets, and which one is used here.
#include "vicinal/cpu.h"

#include <fmt/core.h>

#include <memory>

#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

int run_cpu(bool json) {
  if (!json) fmt::print("vicinal {}\n", version());
  for (const CpuTarget& target : cpu_targets()) {
    if (json) {
      fmt::print("{}\n", json_text({{"name", target.name},
                                    {"supported", target.supported},
                                    {"chosen", target.chosen},
                                    {"why_not", target.why_not}}));
    } else {
      fmt::print("{} {:<14} {}\n", target.chosen ? '*' : ' ', target.name,
                 target.supported ? (target.chosen ? "used" : "supported") : target.why_not);
    }
  }
  const Result<std::string> chosen = chosen_cpu_target();
  if (!chosen.ok()) return print_error(chosen.status());
  return kExitOk;
}

}  // namespace

void add_cpu(CLI::App& app, int& exit_code) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("cpu", "List the CPU targets of the kernels");
  command->footer("The environment variable VICINAL_TARGET forces one by name.");
  command->add_flag("--json", *json, "A JSON object per target");
  command->callback([json, &exit_code] { exit_code = run_cpu(*json); });
}

}  // namespace vicinal::tools
