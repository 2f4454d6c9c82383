// vicinal get: the exact vectors stored under labels, read from the file: the index is not loaded.
#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <vector>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/matrix/writers.h"

namespace vicinal::tools {
namespace {

struct GetArguments {
  StoreArguments at;
  std::vector<Label> labels;
  bool json = false;
};

using Vectors = std::vector<std::vector<float>>;

void print(const GetArguments& arguments, Label label, const std::vector<float>& vector) {
  std::string text;
  if (arguments.json) {
    matrix::append_json_vector(text, vector);
    fmt::print("{{\"label\":{},\"vector\":{}}}\n", label, text);
  } else {
    for (const float component : vector) text += fmt::format(" {}", component);
    fmt::print("{}:{}\n", label, text);
  }
}

/// All labels together; one by one where a damaged vector is among them.
int get(const GetArguments& arguments, const Store& store, const std::string& name,
        std::span<const Label> labels) {
  Result<Vectors> found = store.stored_vectors(name, labels);
  if (!found.ok() && found.status().code() == StatusCode::kCorruption && labels.size() > 1) {
    int code = kExitOk;
    for (const Label& label : labels) {
      code = std::max(code, get(arguments, store, name, {&label, 1}));
    }
    return code;
  }
  if (!found.ok()) {
    const bool absent = found.status().code() == StatusCode::kNotFound;
    return print_error(found.status(), absent ? kExitCannotOpen : kExitFailure);
  }
  int code = kExitOk;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if ((*found)[i].empty()) {
      code = print_error(
          Status::not_found(fmt::format("label {} is not live in index {}", labels[i], name)));
    } else {
      print(arguments, labels[i], (*found)[i]);
    }
  }
  return code;
}

int run_get(const GetArguments& arguments) {
  Result<Store> store = open_store(arguments.at.store, {});
  if (!store.ok()) return print_error(store.status(), kExitCannotOpen);
  Result<std::string> name = choose_index(*store, arguments.at.index);
  if (!name.ok()) return print_error(name.status(), kExitCannotOpen);
  return get(arguments, *store, *name, arguments.labels);
}

}  // namespace

void add_get(CLI::App& app, int& exit_code) {
  const auto [command, arguments] =
      add_index_command(app, "get", "Print stored vectors", run_get, exit_code);
  add_wholes(*command, "labels", arguments->labels, {}, "Labels")->required();
  command->add_flag("--json", arguments->json, "A JSON object per label, as import reads it");
}

}  // namespace vicinal::tools
