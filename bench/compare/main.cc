// vicinal-compare: Vicinal beside hnswlib and faiss on the same data in the same run.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "bench/common/guarded_main.h"
#include "bench/common/machine.h"
#include "bench/compare/dataset.h"
#include "bench/compare/measure.h"
#include "bench/compare/report.h"
#include "tools/interrupt.h"
#include "vicinal/cpu.h"

namespace vicinal::bench {
namespace {

struct Arguments {
  DatasetFiles files;
  RunOptions run;
  std::string out;
  std::string svg;
  std::string measured;
  bool live = false;
  bool add = false;
  std::vector<std::string> report;
};

int fail(const Status& status) {
  std::fflush(stdout);
  fmt::print(stderr, "vicinal-compare: {}\n", status.to_string());
  return 1;
}

/// What the peers' large allocations get from glibc; the engine's own arenas ask for huge pages
/// themselves.
std::string peers_pages() {
  const char* tunables = std::getenv("GLIBC_TUNABLES");
  if (tunables != nullptr &&
      std::string(tunables).find("glibc.malloc.hugetlb=1") != std::string::npos) {
    return "glibc.malloc.hugetlb=1";
  }
  return "not asked for (set GLIBC_TUNABLES=glibc.malloc.hugetlb=1)";
}

std::string chosen_target() {
  for (const CpuTarget& target : cpu_targets()) {
    if (target.chosen) return target.name;
  }
  return "unknown";
}

Result<Json> read_json(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Status::not_found(fmt::format("{}: cannot be read", path));
  Json json = Json::parse(file, nullptr, false);
  if (json.is_discarded() || !json.contains("dataset")) {
    return Status::invalid_argument(fmt::format("{}: not a result of vicinal-compare", path));
  }
  return json;
}

/// False for what --live alone wrote.
bool measured_at_rest(const Json& result) { return result.contains("queries"); }

int print_report(const std::vector<std::string>& paths) {
  std::vector<Json> results;
  for (const std::string& path : paths) {
    Result<Json> result = read_json(path);
    if (!result.ok()) return fail(result.status());
    results.push_back(std::move(*result));
  }
  std::vector<Json> at_rest;
  std::copy_if(results.begin(), results.end(), std::back_inserter(at_rest), measured_at_rest);
  fmt::print("{}", targets_table(at_rest));
  for (const Json& result : at_rest) fmt::print("\n{}", dataset_tables(result));
  const std::string live = live_section(results);
  if (!live.empty()) fmt::print("\n{}", live);
  return 0;
}

/// What --add keeps of the file to be written; an empty object without it.
/// Errors: kInvalidArgument  the file holds other data.
Result<Json> kept_result(const Arguments& arguments, const Dataset& data) {
  if (!arguments.add || arguments.out.empty() || !std::filesystem::exists(arguments.out)) {
    return Json::object();
  }
  Result<Json> kept = read_json(arguments.out);
  if (!kept.ok()) return kept;
  if ((*kept)["dataset"] != data.name || (*kept)["rows"] != data.base.rows ||
      (*kept)["dimension"] != data.base.dimension) {
    return Status::invalid_argument(
        fmt::format("{}: holds {}, {} x {}, nothing can be added to it", arguments.out,
                    (*kept)["dataset"].get<std::string>(), (*kept)["rows"].get<std::uint64_t>(),
                    (*kept)["dimension"].get<unsigned>()));
  }
  return kept;
}

/// Where and how `measurement` was taken.
void sign(Json& measurement, const Arguments& arguments) {
  measurement["target"] = chosen_target();
  measurement["peers_huge_pages"] = peers_pages();
  if (!arguments.measured.empty()) measurement["measured"] = arguments.measured;
}

/// What is measured now, with what is kept of before.
Result<Json> measure_and_join(const Arguments& arguments, const Dataset& data, Json kept) {
  Result<Json> now =
      arguments.live ? measure_live(data, arguments.run) : measure(data, arguments.run);
  if (!now.ok()) return now;
  sign(*now, arguments);
  if (!arguments.live) {
    if (kept.contains("live")) (*now)["live"] = std::move(kept["live"]);
    return now;
  }
  if (kept.empty()) {
    kept = {{"dataset", data.name}, {"rows", data.base.rows}, {"dimension", data.base.dimension}};
  }
  kept["live"] = std::move(*now);
  return kept;
}

int compare(Arguments arguments) {
  if (arguments.files.folder.empty() &&
      (arguments.files.base.empty() || arguments.files.query.empty())) {
    return fail(Status::invalid_argument("--data, or --base and --query, or --report is wanted"));
  }
  if (arguments.run.scratch.empty()) {
    arguments.run.scratch = std::filesystem::temp_directory_path().string();
  }
  std::size_t deepest = arguments.run.k;
  for (const std::size_t k : arguments.run.also_k) deepest = std::max(deepest, k);
  Result<Dataset> data = load_dataset(arguments.files, deepest, arguments.run.threads.back());
  if (!data.ok()) return fail(data.status());
  Result<Json> kept = kept_result(arguments, *data);
  if (!kept.ok()) return fail(kept.status());
  Result<Json> result = measure_and_join(arguments, *data, std::move(*kept));
  if (!result.ok()) return fail(result.status());
  fmt::print("{}", arguments.live ? live_section({*result}) : dataset_tables(*result));
  std::fflush(stdout);
  if (!arguments.out.empty()) {
    // In one step: what --add keeps is hours of measuring, too.
    const Status written = replace_file(arguments.out, result->dump(1) + "\n");
    if (!written.ok()) return fail(written);
  }
  if (!arguments.svg.empty() && !arguments.live) {
    if (Status s = write_plot(*result, arguments.svg); !s.ok()) {
      fmt::print(stderr, "vicinal-compare: no plot: {}\n", s.to_string());
    }
  }
  return 0;
}

void add_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--data", arguments.files.folder,
                 "Folder with base.*, query.* and perhaps truth.ivecs");
  app.add_option("--base", arguments.files.base, "Vectors");
  app.add_option("--query", arguments.files.query, "Queries");
  app.add_option("--truth", arguments.files.truth, "Exact neighbors (.ivecs; default: computed)");
  app.add_option("--name", arguments.files.name, "Name in the tables (default: the folder's)");
  app.add_option("--engines", arguments.run.engines, "Engines, by comma")
      ->delimiter(',')
      ->check(CLI::IsMember({"vicinal", "vicinal-f32", "hnswlib", "faiss"}))
      ->capture_default_str();
  app.add_option("--threads", arguments.run.threads, "Threads of builds, by comma, most last")
      ->delimiter(',')
      ->check(CLI::Range(1u, 1024u))
      ->capture_default_str();
  app.add_option("--graphs", arguments.run.graphs,
                 "Graphs of each engine, built with the most threads; builds are their medians")
      ->check(CLI::Range(1u, 100u))
      ->capture_default_str();
  app.add_option("--ef", arguments.run.ef, "Values of ef, by comma, rising")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("-k", arguments.run.k, "Neighbors")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--also-k", arguments.run.also_k, "Other numbers of neighbors, by comma")
      ->delimiter(',')
      ->check(CLI::Range(1, 1000));
  app.add_option("--repetitions", arguments.run.repetitions, "Turns of each engine at each ef")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--M", arguments.run.M, "Links per node")->capture_default_str();
  app.add_option("--ef-construction", arguments.run.ef_construction, "Candidates per insert")
      ->capture_default_str();
  app.add_option("--scratch", arguments.run.scratch, "Folder for a store (default: temporary)");
  app.add_flag("--quick", arguments.run.quick,
               "Only the most threads, no row-by-row builds, no store");
  app.add_flag("--live", arguments.live,
               "Only vicinal and hnswlib in motion: idle, with rows deleted, beside a writer");
  app.add_option("--seconds", arguments.run.seconds, "Seconds of each engine in a phase of --live")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  app.add_flag("--add", arguments.add,
               "Keep what the file of --out holds: with --live all but \"live\", else that");
  app.add_option("--out", arguments.out, "JSON file to write");
  app.add_option("--svg", arguments.svg, "Plot of recall against speed to write (needs gnuplot)");
  app.add_option("--measured", arguments.measured, "Commit, command and date, for the tables");
  app.add_option("--report", arguments.report,
                 "Measure nothing: print targets and tables of these JSON files");
}

int run(int argc, char** argv) {
  tools::install_interrupt_handler();
  CLI::App app("vicinal-compare: Vicinal beside hnswlib and faiss", "vicinal-compare");
  Arguments arguments;
  add_options(app, arguments);
  CLI11_PARSE(app, argc, argv);
  if (!arguments.report.empty()) return print_report(arguments.report);
  return compare(std::move(arguments));
}

}  // namespace
}  // namespace vicinal::bench

int main(int argc, char** argv) {
  return vicinal::bench::guarded_main("vicinal-compare", vicinal::bench::run, argc, argv);
}
