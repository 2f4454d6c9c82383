// vicinal dump: what a store holds, as jsonl, fvecs or Graphviz.
#include <fmt/core.h>

#include <filesystem>
#include <optional>
#include <system_error>

#include "tools/arguments.h"
#include "tools/commands/commands.h"
#include "tools/commands/dump_graph.h"
#include "tools/common.h"
#include "tools/interrupt.h"
#include "tools/matrix/writers.h"
#include "tools/report.h"

namespace vicinal::tools {
namespace {

struct DumpArguments {
  StoreArguments at;
  std::string what;
  std::string format = "jsonl";
  std::string out;
  std::string labels_out;
  std::optional<Label> label;
  unsigned depth = 1;
};

Status line(matrix::Output& out, const Json& json) { return out.write(json_text(json) + "\n"); }

Status dump_meta(const Store& store, const std::string& name, matrix::Output& out) {
  Result<StoredStats> stats = store.stored_stats(name);
  return stats.ok() ? line(out, to_json(*stats)) : stats.status();
}

Status dump_vectors(const DumpArguments& arguments, const Index& index, matrix::Output& out) {
  std::optional<matrix::Output> labels;
  if (!arguments.labels_out.empty()) {
    Result<matrix::Output> opened = matrix::Output::open(arguments.labels_out);
    if (!opened.ok()) return opened.status();
    labels.emplace(std::move(*opened));
  }
  Status written;
  const Status walked = index.for_each([&](Label label, std::span<const float> vector) {
    written = arguments.format == "fvecs" ? matrix::write_fvecs_row(out, vector)
                                          : matrix::write_jsonl_row(out, label, vector);
    if (written.ok() && labels.has_value()) written = labels->write(fmt::format("{}\n", label));
    if (written.ok() && interrupted()) written = Status::cancelled("interrupted");
    return written.ok();
  });
  if (!written.ok()) return written;
  if (!walked.ok()) return walked;
  return labels.has_value() ? labels->close() : Status();
}

Status dump_graph(const DumpArguments& arguments, const Index& index, matrix::Output& out) {
  if (arguments.format == "dot") return write_dot(out, index, *arguments.label, arguments.depth);
  if (arguments.label.has_value()) {
    Result<Index::NodeView> node = index.node(*arguments.label);
    return node.ok() ? line(out, to_json(*node)) : node.status();
  }
  Status written;
  const Status walked = index.for_each_node([&](const Index::NodeView& node) {
    written = line(out, to_json(node));
    if (written.ok() && interrupted()) written = Status::cancelled("interrupted");
    return written.ok();
  });
  return written.ok() ? walked : written;
}

Status dump_journal(const Store& store, const std::string& name, matrix::Output& out) {
  Status written;
  const Status walked = store.for_each_journal_entry(name, [&](const std::string& json) {
    written = out.write(json + "\n");
    return written.ok();
  });
  return written.ok() ? walked : written;
}

Status check(const DumpArguments& arguments) {
  const bool graph = arguments.what == "graph";
  if (arguments.format == "fvecs" && arguments.what != "vectors") {
    return Status::invalid_argument("--format fvecs is for vectors, not " + arguments.what);
  }
  if (arguments.format == "dot" && (!graph || !arguments.label.has_value())) {
    return Status::invalid_argument("--format dot is for graph with --label");
  }
  if (!graph && arguments.label.has_value()) {
    return Status::invalid_argument("--label is for graph, not " + arguments.what);
  }
  if (!arguments.labels_out.empty() && arguments.what != "vectors") {
    return Status::invalid_argument("--labels-out is for vectors, not " + arguments.what);
  }
  const auto named = [](const std::string& file) {
    std::error_code error;
    if (file.empty() || file == "-") return std::string("-");
    const std::string known =
        std::filesystem::weakly_canonical(std::filesystem::absolute(file), error).string();
    return error ? file : known;
  };
  if (!arguments.labels_out.empty() && named(arguments.out) == named(arguments.labels_out)) {
    return Status::invalid_argument(
        fmt::format("vectors and labels would both go to {}", arguments.labels_out));
  }
  return {};
}

Status dump_index(const DumpArguments& arguments, const Index& index, matrix::Output& out) {
  return arguments.what == "vectors" ? dump_vectors(arguments, index, out)
                                     : dump_graph(arguments, index, out);
}

int run_dump(const DumpArguments& arguments) {
  if (Status s = check(arguments); !s.ok()) return print_error(s);
  Result<Store> store = open_store(arguments.at.store, {});
  if (!store.ok()) return print_error(store.status(), kExitCannotOpen);
  Result<std::string> name = choose_index(*store, arguments.at.index);
  if (!name.ok()) return print_error(name.status(), kExitCannotOpen);
  // Numbers and journal are read from the store as they stand.
  std::optional<Index> index;
  if (arguments.what == "vectors" || arguments.what == "graph") {
    Result<Index> loaded = open_index(*store, *name, {});
    if (!loaded.ok()) return print_error(loaded.status(), kExitCannotOpen);
    index.emplace(std::move(*loaded));
  }
  Result<matrix::Output> out = matrix::Output::open(arguments.out);
  if (!out.ok()) return print_error(out.status());
  const Status dumped = index.has_value()          ? dump_index(arguments, *index, *out)
                        : arguments.what == "meta" ? dump_meta(*store, *name, *out)
                                                   : dump_journal(*store, *name, *out);
  if (!dumped.ok()) {
    const bool absent = !index.has_value() && dumped.code() == StatusCode::kNotFound;
    return print_error(dumped, absent ? kExitCannotOpen : kExitFailure);
  }
  if (Status s = out->close(); !s.ok()) return print_error(s);
  return kExitOk;
}

}  // namespace

void add_dump(CLI::App& app, int& exit_code) {
  const auto [command, arguments] =
      add_index_command(app, "dump", "Print what a store holds", run_dump, exit_code);
  command->add_option("what", arguments->what, "meta, vectors, graph or journal")
      ->required()
      ->check(CLI::IsMember({"meta", "vectors", "graph", "journal"}));
  command
      ->add_option("--format", arguments->format,
                   "jsonl, fvecs (vectors), dot (graph around --label)")
      ->check(CLI::IsMember({"jsonl", "fvecs", "dot"}))
      ->capture_default_str();
  add_text(*command, "-o,--out", arguments->out, "File to write (default: standard output)");
  add_text(*command, "--labels-out", arguments->labels_out,
           "Vectors: also write their labels here, one a line");
  add_whole(*command, "--label", arguments->label, {}, "Graph: only this label's node");
  add_whole(*command, "--depth", arguments->depth, {0, 8}, "Dot: links to follow from --label")
      ->capture_default_str();
}

}  // namespace vicinal::tools
