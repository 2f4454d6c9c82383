// `vicinal-bench-decision`: measures the decision record's tables again, and writes them.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "bench/common/guarded_main.h"
#include "bench/decision/measure.h"
#include "tools/interrupt.h"

namespace vicinal::bench {
namespace {

struct Arguments {
  Settings settings;
  Outputs outputs;
  bool quick = false;
  std::string commit = "unknown";
  std::string command = "vicinal-bench-decision";
  std::string report;
};

const std::vector<std::uint64_t> kQuickSizes = {1'000, 10'000, 50'000, 100'000};
const std::vector<std::uint64_t> kFullSizes = {1'000, 10'000, 50'000, 100'000, 500'000, 1'000'000};
const std::vector<std::uint64_t> kQuickCrossover = {10, 30, 100, 300, 1'000};
const std::vector<std::uint64_t> kFullCrossover = {10, 30, 100, 300, 1'000, 3'000, 10'000, 50'000};

int fail(const Status& status) {
  std::fflush(stdout);
  fmt::print(stderr, "vicinal-bench-decision: {}\n", status.to_string());
  return 1;
}

void finish_settings(Arguments* arguments) {
  Settings& settings = arguments->settings;
  if (settings.sizes.empty()) settings.sizes = arguments->quick ? kQuickSizes : kFullSizes;
  if (settings.crossover_sizes.empty()) {
    settings.crossover_sizes = arguments->quick ? kQuickCrossover : kFullCrossover;
  }
  std::sort(settings.sizes.begin(), settings.sizes.end());
  std::sort(settings.crossover_sizes.begin(), settings.crossover_sizes.end());
  if (arguments->quick) {
    settings.singles = std::min<std::uint64_t>(settings.singles, 200);
    settings.queries = std::min<std::uint64_t>(settings.queries, 200);
    settings.window_s = std::min(settings.window_s, 2.0);
  }
}

/// What decides most comes first, so that a budget that runs out costs the least.
Status measure_all(const Settings& settings, Record* record) {
  using Part = Status (*)(const Settings&, const Vectors&, Record*);
  constexpr Part kParts[] = {measure_crossover, measure_memory, measure_store};
  for (const Part part : kParts) {
    for (const Shape shape : {Shape::kUniform, Shape::kClustered}) {
      const std::string name = shape_name(shape);
      if (std::count(settings.shapes.begin(), settings.shapes.end(), name) == 0) continue;
      const Vectors vectors(shape, settings.dimension, settings.seed);
      if (Status s = part(settings, vectors, record); !s.ok()) return s;
    }
  }
  return {};
}

int report(const Arguments& arguments) {
  const Result<Json> record = read_record(arguments.report);
  if (!record.ok()) return fail(record.status());
  const Status written = write_outputs(*record, arguments.outputs);
  return written.ok() ? 0 : fail(written);
}

int measure(Arguments& arguments) {
  finish_settings(&arguments);
  Record record(arguments.settings, arguments.outputs, arguments.commit, arguments.command);
  const Status measured = measure_all(arguments.settings, &record);
  if (measured.ok()) record.finish();
  const Status saved = record.save();
  if (!measured.ok()) return fail(measured);
  if (!saved.ok()) return fail(saved);
  if (!arguments.outputs.markdown.empty()) return 0;
  const Status printed = write_outputs(record.json(), arguments.outputs);
  return printed.ok() ? 0 : fail(printed);
}

void add_arguments(CLI::App& app, Arguments& arguments) {
  Settings& settings = arguments.settings;
  app.add_flag("--quick", arguments.quick, "Sizes to 100,000, fewer samples");
  app.add_option("--sizes", settings.sizes, "Sizes of the index, by comma")->delimiter(',');
  app.add_option("--crossover-sizes", settings.crossover_sizes, "Sizes of table 3, by comma")
      ->delimiter(',');
  app.add_option("--shapes", settings.shapes, "uniform, clustered")
      ->delimiter(',')
      ->check(CLI::IsMember({"uniform", "clustered"}));
  app.add_option("--budget", settings.budget_s,
                 "Skip what would not end within SECONDS (0 and below: everything)");
  app.add_option("--dimension", settings.dimension, "Components per vector")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--singles", settings.singles, "Single upserts that are timed")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--queries", settings.queries, "Queries of recall and latency")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--window", settings.window_s, "Seconds of searches beside other work")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--threads", settings.threads, "Threads of batches (default: one per CPU)");
  app.add_option("--scratch", settings.scratch, "Folder for the stores")->capture_default_str();
  app.add_option("--json", arguments.outputs.json, "Result file, written after every size");
  app.add_option("--markdown", arguments.outputs.markdown, "Document, written after every size");
  app.add_option("--plots", arguments.outputs.plots, "Folder of the SVG plots");
  app.add_option("--commit", arguments.commit, "For the document");
  app.add_option("--command", arguments.command, "For the document");
  app.add_option("--report", arguments.report, "Measure nothing: the document of this JSON file");
}

int run(int argc, char** argv) {
  tools::install_interrupt_handler();
  Arguments arguments;
  CLI::App app("The decision record's tables, measured", "vicinal-bench-decision");
  add_arguments(app, arguments);
  CLI11_PARSE(app, argc, argv);
  return arguments.report.empty() ? measure(arguments) : report(arguments);
}

}  // namespace
}  // namespace vicinal::bench

int main(int argc, char** argv) {
  return vicinal::bench::guarded_main("vicinal-bench-decision", vicinal::bench::run, argc, argv);
}
