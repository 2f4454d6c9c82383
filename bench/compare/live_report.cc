// The table of what was measured in motion.
#include <fmt/core.h>

#include <cmath>

#include "bench/compare/report.h"
#include "tools/format.h"

namespace vicinal::bench {
namespace {

constexpr const char* kIntroduction =
    "## In motion\n\n"
    "One searching thread, every engine at the same ef. Beside a figure, in parentheses, is what "
    "it is times an equal index that nobody changes, searched by the same engine in alternating "
    "half seconds: these travel from machine to machine. Medians of the turns. CPU: by the "
    "searching thread's CPU clock. Deleted rows are drawn at random and stay in the graph (Vicinal "
    "does not repair it meanwhile). The writer is one thread that inserts row by row as fast as it "
    "can, while its engine is searched. Recall is against the live rows whose insert had returned "
    "when the search began; those inserted beside it are left out. hnswlib's own locks are among "
    "its inserts; its searches take none. Short answers have fewer than k hits.\n\n";

constexpr const char* kHead =
    "| data | engine | idle: p50, us | p99, us | QPS | recall | 5 % deleted: p50, us | p99, us | "
    "recall | 20 % deleted: p50, us | p99, us | recall | beside a writer: p50, us | CPU p50, us | "
    "p99, us | CPU p99, us | QPS | recall | inserts/s |\n"
    "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";

std::string title(const std::string& engine) {
  if (engine == "hnswlib") return engine_title(engine) + ", no lock";
  if (engine == "hnswlib-mutex") return engine_title("hnswlib") + ", shared mutex";
  return engine_title(engine);
}

const Json* line_of(const Json& live, const std::string& engine, const char* phase) {
  for (const Json& line : live["lines"]) {
    if (line["engine"] == engine && line["phase"] == phase) return &line;
  }
  return nullptr;
}

std::string plain(double value) {
  return value < 100 ? fmt::format("{:.1f}", value)
                     : tools::grouped(static_cast<std::uint64_t>(std::llround(value)));
}

/// " 43.1 (1.06) |" for each of `names`.
std::string cells(const Json* line, std::initializer_list<const char*> names) {
  std::string text;
  for (const std::string name : names) {
    const std::string key = name == "qps" ? name : name + "_us";
    if (line == nullptr || !line->contains(key)) {
      text += " |";
      continue;
    }
    text += fmt::format(" {} ({:.2f}) |", plain((*line)[key]), (*line)[name + "_x"].get<double>());
  }
  return text;
}

std::string recall_cell(const Json* line) {
  return line == nullptr ? " |" : fmt::format(" {:.4f} |", (*line)["recall"].get<double>());
}

std::string row(const std::string& data, const Json& live, const std::string& engine) {
  std::string text = fmt::format("| {} | {} |", data, title(engine));
  const Json* idle = line_of(live, engine, "idle");
  text += cells(idle, {"p50", "p99", "qps"}) + recall_cell(idle);
  for (const char* phase : {"deleted_5", "deleted_20"}) {
    const Json* deleted = line_of(live, engine, phase);
    text += cells(deleted, {"p50", "p99"}) + recall_cell(deleted);
  }
  const Json* writer = line_of(live, engine, "writer");
  text += cells(writer, {"p50", "cpu_p50", "p99", "cpu_p99", "qps"}) + recall_cell(writer);
  text += writer == nullptr ? " |" : fmt::format(" {} |", plain((*writer)["inserts_per_s"]));
  return text + "\n";
}

/// How one data set was measured, and answers that were too short.
std::string notes(const std::string& data, const Json& live) {
  std::string text = fmt::format(
      "\n{}: {} rows, up to {} more inserted, ef {}, recall@{}, {:g} s of each engine in a phase, "
      "kernels {}; of an even number of turns the median is {}.",
      data, tools::grouped(live["rows"].get<std::uint64_t>()),
      tools::grouped(live["rows_to_insert"].get<std::uint64_t>()), live["ef"].get<unsigned>(),
      live["k"].get<unsigned>(), live["seconds"].get<double>(), live.value("target", "unknown"),
      live.value("even_medians", "the upper of the middle two"));
  for (const Json& line : live["lines"]) {
    const auto answers = line.value("short_answers", std::uint64_t{0});
    if (answers == 0) continue;
    text += fmt::format(" Short answers of {}, {}: {} of {}.", title(line["engine"]),
                        line["phase"].get<std::string>(), tools::grouped(answers),
                        tools::grouped(line["searches"].get<std::uint64_t>()));
  }
  if (live.contains("measured")) {
    text += fmt::format(" Measured: {}", live["measured"].get<std::string>());
  }
  return text + "\n";
}

}  // namespace

std::string live_section(const std::vector<Json>& results) {
  std::string rows;
  std::string below;
  for (const Json& result : results) {
    if (!result.contains("live")) continue;
    const std::string data = result["dataset"];
    const Json& live = result["live"];
    for (const Json& line : live["lines"]) {
      if (line["phase"] == "idle") rows += row(data, live, line["engine"]);
    }
    below += notes(data, live);
  }
  return rows.empty() ? "" : kIntroduction + (kHead + rows) + below;
}

}  // namespace vicinal::bench
