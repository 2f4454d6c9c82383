// `vicinal-bench`: the engine's own end-to-end measurement. JSON lines on standard output,
// everything else on standard error.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "bench/common/guarded_main.h"
#include "bench/vicinal_bench/common.h"
#include "tools/arguments.h"
#include "tools/interrupt.h"
#include "tools/progress.h"

namespace vicinal::bench {
namespace {

int run(int argc, char** argv) {
  tools::install_interrupt_handler();
  CLI::App app("vicinal-bench: end-to-end measurements of Vicinal", "vicinal-bench");
  app.require_subcommand(1);
  app.add_flag_callback(
      "-q,--quiet", [] { tools::ProgressBar::set_quiet(true); }, "No progress");
  app.fallthrough();
  int exit_code = 0;
  add_build(app, exit_code);
  add_insert(app, exit_code);
  add_rebuild(app, exit_code);
  add_recall_target(app, exit_code);
  add_truth(app, exit_code);
  add_churn(app, exit_code);
  add_live(app, exit_code);
  add_many(app, exit_code);
  add_stream(app, exit_code);
  if (const std::optional<int> code = tools::parse(app, argc, argv); code.has_value()) return *code;
  return exit_code;
}

}  // namespace
}  // namespace vicinal::bench

int main(int argc, char** argv) {
  return vicinal::bench::guarded_main("vicinal-bench", vicinal::bench::run, argc, argv);
}
