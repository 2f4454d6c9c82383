// vicinal rebuild: a fresh graph of the live vectors, swapped in when it is done.
#include <fmt/core.h>

#include <chrono>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/progress.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct RebuildArguments {
  StoreArguments at;
  unsigned threads = 0;
  bool json = false;
};

int run_rebuild(const RebuildArguments& arguments) {
  OpenMode mode;
  mode.read_only = false;
  mode.threads = arguments.threads;
  Result<Opened> opened = open_index(arguments.at, mode);
  if (!opened.ok()) return print_error(opened.status(), kExitCannotOpen);
  const auto start = std::chrono::steady_clock::now();
  {
    ProgressBar bar("rebuilding " + opened->name, 0, "");
    BatchOptions options;
    options.threads = arguments.threads;
    options.progress = bar.callback();
    if (Status s = opened->index.rebuild(options); !s.ok()) return print_error(s);
  }
  const std::uint64_t live = opened->index.size();
  const int closed =
      close_store(opened->store, "every vector is stored, and the next opening links what it must");
  if (closed != kExitOk) return closed;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (arguments.json) {
    fmt::print("{}\n", json_text({{"live", live}, {"seconds", seconds}}));
  } else {
    fmt::print("rebuilt {} of {} vectors in {}\n", opened->name, grouped(live),
               human_seconds(seconds));
  }
  return kExitOk;
}

}  // namespace

void add_rebuild(CLI::App& app, int& exit_code) {
  const auto [command, arguments] =
      add_index_command(app, "rebuild", "Build the graph anew", run_rebuild, exit_code);
  add_whole(*command, "--threads", arguments->threads, kThreads, "Threads (default: one per CPU)");
  command->add_flag("--json", arguments->json, "Print JSON");
}

}  // namespace vicinal::tools
