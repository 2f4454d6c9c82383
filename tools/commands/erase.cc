// vicinal erase: hides labels from every later search, in one commit.
#include <fmt/core.h>

#include <vector>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/format.h"
#include "tools/matrix/labels.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct EraseArguments {
  StoreArguments at;
  std::vector<Label> labels;
  std::string labels_file;
  bool json = false;
};

int run_erase(const EraseArguments& arguments) {
  std::vector<Label> labels = arguments.labels;
  if (!arguments.labels_file.empty()) {
    Result<std::vector<Label>> more = matrix::load_labels(arguments.labels_file);
    if (!more.ok()) return print_error(more.status());
    labels.insert(labels.end(), more->begin(), more->end());
  }
  if (labels.empty()) return print_error(Status::invalid_argument("no labels given"));
  OpenMode mode;
  mode.read_only = false;
  Result<Opened> opened = open_index(arguments.at, mode);
  if (!opened.ok()) return print_error(opened.status(), kExitCannotOpen);
  Result<std::uint64_t> erased = opened->index.erase_batch(labels);
  if (!erased.ok()) return print_error(erased.status());
  const std::uint64_t left = opened->index.size();
  if (arguments.json) {
    fmt::print("{}\n", json_text({{"asked", labels.size()}, {"erased", *erased}, {"live", left}}));
  } else {
    fmt::print("erased {} of {} labels, {} live\n", grouped(*erased), grouped(labels.size()),
               grouped(left));
  }
  return close_store(opened->store, "what was erased is in the journal, and stays erased");
}

}  // namespace

void add_erase(CLI::App& app, int& exit_code) {
  const auto [command, arguments] =
      add_index_command(app, "erase", "Erase labels", run_erase, exit_code);
  command->footer(std::string("Labels that are not there are no error; the output says how many "
                              "were.\n") +
                  kExitCodesHelp);
  add_wholes(*command, "labels", arguments->labels, {}, "Labels");
  add_text(*command, "--labels", arguments->labels_file,
           "File of labels: text, one a line, or npy of whole numbers; - is standard input");
  command->add_flag("--json", arguments->json, "Print the result as JSON");
}

}  // namespace vicinal::tools
