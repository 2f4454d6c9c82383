// `vicinal`: the command around the engine. Results on standard output, everything else on standard
// error.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <new>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/interrupt.h"
#include "tools/progress.h"
#include "vicinal/cpu.h"

namespace vicinal::tools {
namespace {

int run(int argc, char** argv) {
  install_interrupt_handler();
  // A closed pipe is an error of a write, not the end of a process that holds a store.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a file that may not grow any more.
  std::signal(SIGXFSZ, SIG_IGN);

  CLI::App app("vicinal: an embedded vector index, from the command line", "vicinal");
  app.footer(kExitCodesHelp);
  app.set_version_flag("--version", std::string(version()));
  app.require_subcommand(1);
  app.add_flag_callback(
      "-q,--quiet", [] { ProgressBar::set_quiet(true); }, "No progress");
  app.fallthrough();

  int exit_code = kExitOk;
  add_import(app, exit_code);
  add_search(app, exit_code);
  add_get(app, exit_code);
  add_erase(app, exit_code);
  add_list(app, exit_code);
  add_drop(app, exit_code);
  add_dump(app, exit_code);
  add_validate(app, exit_code);
  add_stats(app, exit_code);
  add_recall(app, exit_code);
  add_rebuild(app, exit_code);
  add_repair(app, exit_code);
  add_backup(app, exit_code);
  add_save(app, exit_code);
  add_load(app, exit_code);
  add_checkpoint(app, exit_code);
  add_convert(app, exit_code);
  add_cpu(app, exit_code);
  add_demo(app, exit_code);
  if (const std::optional<int> code = parse(app, argc, argv); code.has_value()) return *code;
  return finish_output(exit_code);
}

}  // namespace
}  // namespace vicinal::tools

int main(int argc, char** argv) {
  try {
    return vicinal::tools::run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("vicinal: out of memory\n", stderr);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "vicinal: {}\n", problem.what());
  }
  return vicinal::tools::kExitFailure;
}
