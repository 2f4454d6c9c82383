// vicinal get: the exact vectors stored under labels.
#include <fmt/core.h>

#include <vector>

#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/matrix/writers.h"

namespace vicinal::tools {
namespace {

struct Arguments {
  StoreArguments at;
  std::vector<Label> labels;
  bool json = false;
};

int run(const Arguments& arguments) {
  Result<Opened> opened = open_index(arguments.at, {});
  if (!opened.ok()) return print_error(opened.status(), kExitCannotOpen);
  int code = kExitOk;
  for (const Label label : arguments.labels) {
    Result<std::vector<float>> vector = opened->index.get(label);
    if (!vector.ok()) {
      code = print_error(vector.status());
      continue;
    }
    std::string text;
    if (arguments.json) {
      matrix::append_json_vector(text, *vector);
      fmt::print("{{\"label\":{},\"vector\":{}}}\n", label, text);
    } else {
      for (const float component : *vector) text += fmt::format(" {}", component);
      fmt::print("{}:{}\n", label, text);
    }
  }
  return code;
}

}  // namespace

void add_get(CLI::App& app, int& exit_code) {
  const auto [command, arguments] =
      add_index_command(app, "get", "Print stored vectors", run, exit_code);
  command->add_option("labels", arguments->labels, "Labels")->required();
  command->add_flag("--json", arguments->json, "A JSON object per label, as import reads it");
}

}  // namespace vicinal::tools
