// vicinal checkpoint: writes what changed, so that opening need not replay it.
#include <fmt/core.h>

#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/progress.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct CheckpointArguments {
  StoreArguments at;
  bool json = false;
};

int run_checkpoint(const CheckpointArguments& arguments) {
  OpenMode mode;
  mode.read_only = false;
  Result<Opened> opened = open_index(arguments.at, mode);
  if (!opened.ok()) return print_error(opened.status(), kExitCannotOpen);
  const std::uint64_t before = opened->index.stats().journal_entries;
  ProgressBar bar("writing a checkpoint of " + opened->name, 0, "nodes");
  if (Status s = opened->index.checkpoint(bar.callback()); !s.ok()) {
    return print_error(Status(
        s.code(), fmt::format("the checkpoint of {} failed: {}; nothing is lost: what was stored "
                              "is in the journal",
                              opened->name, s.message())));
  }
  bar.finish();
  const std::uint64_t after = opened->index.stats().journal_entries;
  if (arguments.json) {
    fmt::print("{}\n", json_text({{"journal_before", before}, {"journal_after", after}}));
  } else {
    fmt::print("checkpoint of {}: journal {} entries before, {} after\n", opened->name,
               grouped(before), grouped(after));
  }
  return close_store(opened->store, "the checkpoint told above is written");
}

}  // namespace

void add_checkpoint(CLI::App& app, int& exit_code) {
  const auto [command, arguments] = add_index_command(
      app, "checkpoint", "Write a checkpoint of an index", run_checkpoint, exit_code);
  command->add_flag("--json", arguments->json, "Print JSON");
}

}  // namespace vicinal::tools
