#include "bench/decision/record.h"

#include <fmt/core.h>

#include <filesystem>
#include <fstream>

#include "bench/common/machine.h"
#include "bench/decision/report.h"

namespace vicinal::bench {
namespace {

/// What the decision record says of its own machine: seconds of a rebuild, milliseconds an insert.
Json quoted_record() {
  struct Line {
    std::uint64_t size;
    double rebuild_s;
    bool estimated;
    double insert_ms;
  };
  constexpr Line kLines[] = {{1'000, 0.015, false, 0.5}, {10'000, 0.18, false, 0.8},
                             {50'000, 0.95, false, 1.2}, {100'000, 2.1, false, 1.5},
                             {500'000, 12, true, 2.0},   {1'000'000, 28, true, 2.5}};
  Json lines = Json::array();
  for (const Line& line : kLines) {
    lines.push_back({{"size", line.size},
                     {"rebuild_s", line.rebuild_s},
                     {"rebuild_estimated", line.estimated},
                     {"incremental_ms_estimated", line.insert_ms}});
  }
  return {{"machine", "Apple silicon"},
          {"lines", lines},
          {"triggers", {{"vectors", 500'000}, {"insert_ms", 100}, {"batch_s", 5}}}};
}

}  // namespace

IndexOptions Settings::index_options(bool rebuild_on_upsert) const {
  IndexOptions options;
  options.dimension = dimension;
  options.M = M;
  options.ef_construction = ef_construction;
  options.ef_search = static_cast<std::uint32_t>(ef_search);
  options.threads = threads;
  options.rebuild_on_upsert = rebuild_on_upsert;
  return options;
}

Record::Record(const Settings& settings, const Outputs& outputs, const std::string& commit,
               const std::string& command)
    : outputs_(outputs), budget_s_(settings.budget_s) {
  IndexArguments arguments;
  arguments.threads = settings.threads;
  json_ = {{"kind", "decision record"},
           {"commit", commit},
           {"command", command},
           {"machine", describe_machine()},
           {"dimension", settings.dimension},
           {"M", settings.M},
           {"ef_construction", settings.ef_construction},
           {"ef_search", settings.ef_search},
           {"k", settings.k},
           {"metric", "cosine"},
           {"seed", settings.seed},
           {"threads", arguments.thread_count()},
           {"batch", settings.batch},
           {"batches", settings.batches},
           {"singles", settings.singles},
           {"queries", settings.queries},
           {"window_s", settings.window_s},
           {"budget_s", settings.budget_s.has_value() ? Json(*settings.budget_s) : Json()},
           {"idle_warm", true},
           {"shapes", settings.shapes},
           {"sizes", settings.sizes},
           {"crossover_sizes", settings.crossover_sizes},
           {"record", quoted_record()},
           {"complete", false},
           {"runs", Json::array()},
           {"crossover", Json::array()},
           {"skipped", Json::array()}};
}

Json& Record::at(const std::string& shape, std::uint64_t size) {
  for (Json& run : json_["runs"]) {
    if (run["shape"] == shape && run["size"] == size) return run;
  }
  json_["runs"].push_back({{"shape", shape}, {"size", size}});
  return json_["runs"].back();
}

bool Record::fits(const std::string& shape, const std::string& part, std::uint64_t size,
                  double seconds) {
  if (!budget_s_.has_value()) return true;
  const double left = *budget_s_ - seconds_since(start_);
  if (seconds <= left) return true;
  json_["skipped"].push_back({{"shape", shape},
                              {"part", part},
                              {"size", size},
                              {"expected_s", rounded(seconds, 0)},
                              {"left_s", rounded(std::max(0.0, left), 0)}});
  return false;
}

Status Record::save() const {
  if (!outputs_.json.empty()) {
    if (Status s = replace_file(outputs_.json, json_.dump(1) + "\n"); !s.ok()) return s;
  }
  // Without a file the document is printed once, at the end.
  if (outputs_.markdown.empty()) return {};
  return write_outputs(json_, outputs_);
}

Result<Json> read_record(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Status::not_found(fmt::format("{}: cannot be read", path));
  Json json = Json::parse(file, nullptr, false);
  if (json.is_discarded() || json.value("kind", "") != "decision record") {
    return Status::invalid_argument(
        fmt::format("{}: not a result of vicinal-bench-decision", path));
  }
  return json;
}

Status write_outputs(const Json& record, const Outputs& outputs) {
  std::string text = decision_document(record);
  if (!outputs.plots.empty()) {
    const std::filesystem::path beside = std::filesystem::path(outputs.markdown).parent_path();
    for (const Json& shape : record["shapes"]) {
      const std::string name = shape.get<std::string>();
      const std::string path = fmt::format("{}/decision-{}.svg", outputs.plots, name);
      const Status drawn = write_decision_plot(record, name, path);
      if (drawn.code() == StatusCode::kNotFound) continue;
      if (!drawn.ok()) return drawn;
      text += fmt::format("\n![cost of an insert against size, {}]({})\n", name,
                          std::filesystem::path(path).lexically_proximate(beside).string());
    }
  }
  if (outputs.markdown.empty()) {
    fmt::print("{}", text);
    return {};
  }
  return replace_file(outputs.markdown, text);
}

}  // namespace vicinal::bench
