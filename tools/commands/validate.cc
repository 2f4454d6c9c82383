// vicinal validate: checks every index of a store, or one; --repair mends what it finds.
#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/common.h"
#include "tools/progress.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct ValidateArguments {
  StoreArguments at;
  bool deep = false;
  bool repair = false;
  bool salvage = false;
  bool json = false;
  std::size_t messages = 20;
};

Result<ValidateReport> validate(const ValidateArguments& arguments, const Index& index,
                                const std::string& name) {
  ProgressBar bar("validating " + name, 0, "");
  ValidateOptions options;
  options.deep = arguments.deep;
  options.max_messages = arguments.messages;
  options.progress = bar.callback();
  return index.validate(options);
}

Result<RepairResult> repair(Index& index, const std::string& name) {
  ProgressBar bar("repairing " + name, 0, "nodes");
  RepairOptions options;
  options.progress = bar.callback();
  return index.repair(options);
}

void print_report(const ValidateArguments& arguments, const std::string& name,
                  const ValidateReport& report, const RepairResult* repaired) {
  if (arguments.json) {
    Json json = {{"index", name}};
    json.update(to_json(report));
    if (repaired != nullptr) json["repair"] = to_json(*repaired);
    fmt::print("{}\n", json_text(json));
    return;
  }
  if (repaired != nullptr) {
    fmt::print("{}: repaired: {} nodes relinked, {} slots freed, {} unreachable mended\n", name,
               repaired->nodes_relinked, repaired->slots_freed, repaired->unreachable_mended);
  }
  fmt::print("{}: {}\n{}", name,
             report.sound() ? std::string("sound") : fmt::format("{} problems", report.problems),
             describe(report));
}

int check_index(const ValidateArguments& arguments, Store& store, const std::string& name) {
  OpenMode mode;
  mode.read_only = !arguments.repair;
  mode.salvage = arguments.salvage;
  Result<Index> index = open_index(store, name, mode);
  if (!index.ok()) return print_error(index.status(), kExitCannotOpen);
  Result<ValidateReport> report = validate(arguments, *index, name);
  if (!report.ok()) return print_error(report.status());
  if (!arguments.repair) {
    print_report(arguments, name, *report, nullptr);
    return report->sound() ? kExitOk : kExitFailure;
  }
  Result<RepairResult> repaired = repair(*index, name);
  if (!repaired.ok()) return print_error(repaired.status());
  report = validate(arguments, *index, name);
  if (!report.ok()) return print_error(report.status());
  print_report(arguments, name, *report, &*repaired);
  return report->sound() ? kExitOk : kExitFailure;
}

/// Record checksums of the whole store, indexes that cannot be opened included.
int check_records(const ValidateArguments& arguments, const Store& store) {
  std::vector<std::string> messages;
  Result<std::uint64_t> failed = store.verify_records(&messages);
  if (!failed.ok()) return print_error(failed.status());
  if (*failed == 0) return kExitOk;
  if (arguments.json) {
    fmt::print("{}\n", json_text({{"records_failed", *failed}, {"messages", messages}}));
  } else {
    fmt::print("records: {} fail their checksum\n", *failed);
    for (const std::string& message : messages) fmt::print("  {}\n", message);
  }
  return kExitFailure;
}

int run_validate(const ValidateArguments& arguments) {
  OpenMode mode;
  mode.read_only = !arguments.repair;
  mode.background = false;
  Result<Store> store = open_store(arguments.at.store, mode);
  if (!store.ok()) return print_error(store.status(), kExitCannotOpen);
  std::vector<std::string> names = {arguments.at.index};
  if (arguments.at.index.empty()) {
    Result<std::vector<std::string>> stored = store->index_names();
    if (!stored.ok()) return print_error(stored.status(), kExitCannotOpen);
    names = std::move(*stored);
    if (names.empty() && !arguments.json) fmt::print("no index in the store\n");
  }
  const bool records_first = arguments.deep && !arguments.repair;
  int code = records_first ? check_records(arguments, *store) : kExitOk;
  for (const std::string& name : names) {
    code = std::max(code, check_index(arguments, *store, name));
  }
  if (!arguments.repair) return code;
  // A damaged record that repair has rewritten is no problem any more.
  if (arguments.deep) code = std::max(code, check_records(arguments, *store));
  return std::max(code, close_store(*store,
                                    "every vector is stored, but what repair mended is "
                                    "not: run it again"));
}

}  // namespace

void add_validate(CLI::App& app, int& exit_code) {
  const auto [command, arguments] =
      add_index_command(app, "validate", "Check that a store is sound", run_validate, exit_code);
  command->footer(
      "Exit codes: 0 sound; 1 problems found; 2 the store or an index cannot be "
      "opened; 100 and above: usage.");
  command->add_flag("--deep", arguments->deep, "Also verify the checksum of every stored record");
  CLI::Option* repair =
      command->add_flag("--repair", arguments->repair, "Mend what is found, then check again");
  command
      ->add_flag("--salvage", arguments->salvage,
                 "With --repair: set damaged vectors aside, which loses them")
      ->needs(repair);
  add_whole(*command, "--messages", arguments->messages, kRows, "Most problems described")
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "A JSON object per index");
}

}  // namespace vicinal::tools
