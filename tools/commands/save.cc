// vicinal save: an index of a store as bytes, to a file or a pipe.
#include <fmt/core.h>

#include <chrono>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/interrupt.h"
#include "tools/matrix/writers.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct SaveArguments {
  StoreArguments at;
  std::string out;
  bool json = false;
};

int run_save(const SaveArguments& arguments) {
  Result<Opened> opened = open_index(arguments.at, {});
  if (!opened.ok()) return print_error(opened.status(), kExitCannotOpen);
  Result<matrix::Output> out = matrix::Output::open(arguments.out);
  if (!out.ok()) return print_error(out.status());
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t bytes = 0;
  const Status saved = opened->index.save([&](std::span<const std::byte> piece) {
    if (interrupted()) return Status::cancelled("interrupted");
    bytes += piece.size();
    return out->write(piece.data(), piece.size());
  });
  if (!saved.ok()) return print_error(saved);
  if (Status s = out->close(); !s.ok()) return print_error(s);
  if (arguments.out == "-") return kExitOk;  // standard output has the bytes
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (arguments.json) {
    fmt::print("{}\n", json_text({{"store", arguments.at.store},
                                  {"index", opened->name},
                                  {"file", arguments.out},
                                  {"live", opened->index.size()},
                                  {"bytes", bytes},
                                  {"seconds", seconds}}));
  } else {
    fmt::print("saved {} vectors of {} (index {}) to {}: {} in {}\n", grouped(opened->index.size()),
               arguments.at.store, opened->name, arguments.out, human_bytes(bytes),
               human_seconds(seconds));
  }
  return kExitOk;
}

}  // namespace

void add_save(CLI::App& app, int& exit_code) {
  const auto [command, arguments] = add_index_command(
      app, "save", "Write an index as bytes: vectors and links", run_save, exit_code);
  command->footer(
      std::string("For `vicinal load` and Index::load(). Runs beside a writer: the bytes are "
                  "the index of one moment.\n") +
      kExitCodesHelp);
  add_text(*command, "-o,--out", arguments->out, "File to write; - is standard output")->required();
  command->add_flag("--json", arguments->json, "Print the result as JSON (not with --out -)");
}

}  // namespace vicinal::tools
