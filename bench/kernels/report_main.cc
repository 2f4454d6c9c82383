// `vicinal-bench-kernels-report`: the JSON of vicinal-bench-kernels as tables and a plot.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <tuple>
#include <vector>

#include "bench/common/gnuplot.h"
#include "bench/common/guarded_main.h"
#include "bench/common/machine.h"

namespace vicinal::bench {
namespace {

using Json = nlohmann::ordered_json;

/// One benchmark; its name reads kernel/target/dimension/place.
struct Measured {
  double ns = 0;
  double gigabytes = 0;
  double per_cycle = 0;  ///< 0: not counted
  double share = 0;      ///< 0: none
  /// Gigabytes a second that the share is of, and which cells have the same: of loads of a width (0:
  /// scattered) over rows of a size in a place. Zero in records before there was more than one turn.
  double ceiling = 0;
  std::tuple<int, int, std::string> ceiling_of;
};

struct Results {
  Json context;
  std::map<std::tuple<std::string, std::string, int, std::string>, Measured> cells;
  // In the order of the run.
  std::vector<std::string> kernels;
  std::vector<std::string> targets;
  std::vector<std::string> places;
  std::set<int> dimensions;
};

void note(std::vector<std::string>* list, const std::string& name) {
  if (std::find(list->begin(), list->end(), name) == list->end()) list->push_back(name);
}

/// Shares of the best ceiling that any cell of the same met.
void share_ceilings(Results* results) {
  std::map<std::tuple<int, int, std::string>, double> best;
  for (const auto& [name, m] : results->cells) {
    best[m.ceiling_of] = std::max(best[m.ceiling_of], m.ceiling);
  }
  for (auto& [name, m] : results->cells) {
    if (m.ceiling > 0) m.share = m.gigabytes / best[m.ceiling_of];
  }
}

Result<Results> read_results(const std::string& path) {
  std::ifstream file(path);
  const Json json = Json::parse(file, nullptr, false);
  if (json.is_discarded() || !json.contains("benchmarks")) {
    return Status::invalid_argument(fmt::format("{}: not Google Benchmark's JSON", path));
  }
  if (json["benchmarks"].empty()) {
    return Status::invalid_argument(
        fmt::format("{}: 0 benchmarks: nothing was measured, or no name matched", path));
  }
  Results results;
  results.context = json.value("context", Json::object());
  for (const Json& line : json["benchmarks"]) {
    std::istringstream name(line.value("name", ""));
    std::string kernel, target, dimension, place;
    std::getline(name, kernel, '/');
    std::getline(name, target, '/');
    std::getline(name, dimension, '/');
    std::getline(name, place, '/');
    const int n = std::atoi(dimension.c_str());
    if (n <= 0 || !line.contains("time_per_row")) {
      return Status::invalid_argument(
          fmt::format("{}: {} is not a kernel's line", path, line.value("name", "?")));
    }
    note(&results.kernels, kernel);
    note(&results.targets, target);
    note(&results.places, place);
    results.dimensions.insert(n);
    results.cells[{kernel, target, n, place}] = {
        line["time_per_row"].get<double>() * 1e9,
        line.value("GB_per_s", 0.0),
        line.value("elements_per_cycle", 0.0),
        line.value("load_share", line.value("plain_share", 0.0)),
        line.value("ceiling_GB_per_s", 0.0),
        {static_cast<int>(line.value("ceiling_load_bytes", 0.0)),
         static_cast<int>(line.value("row_bytes", 0.0)), place}};
  }
  share_ceilings(&results);
  return results;
}

/// What shares above 100 % mean; empty when the tables show none.
std::string above_all(const Results& results) {
  std::size_t shares = 0;
  std::size_t above = 0;
  double most = 0;
  bool once = false;
  for (const auto& [name, m] : results.cells) {
    if (m.share <= 0) continue;
    ++shares;
    once = once || m.ceiling <= 0;
    if (m.share < 1.005) continue;  // shown as 100 %
    ++above;
    most = std::max(most, m.share);
  }
  if (above == 0) return "";
  return fmt::format(
      "**{} of {} shares are above 100 %, the highest is {:.0f} %.** No kernel reads faster than "
      "loads can: there the ceiling was measured in a slow moment, or its loop is not the fastest "
      "way to load such rows. Such a figure says no more than that the ceiling there is too "
      "low.{}\n\n",
      above, shares, 100 * most,
      once
          ? " In this record a ceiling was measured once, for some milliseconds that also held the "
            "time of looking at the clock: **all its shares in L1 and L2 are too high**, those of "
            "short rows most. Records made since leave the clock out, measure the ceiling again "
            "beside every kernel and take the best."
          : "");
}

std::string introduction(const Results& results) {
  Json machine = Json::object();
  for (const auto& [key, value] : results.context.items()) {
    if (key.rfind("machine.", 0) == 0) machine[key.substr(8)] = value;
  }
  return fmt::format(
             "# Kernels\n\nWritten by `bench/kernels_report` from the JSON of "
             "`vicinal-bench-kernels`.\n\n"
             "{}\nA cell reads: nanoseconds a row; GB/s of the rows' bytes; elements per tick of "
             "the time "
             "stamp counter, where there is one; and a share. In L1 and L2 it is the share of the "
             "target's "
             "load-bound limit: what loads as wide as its vectors reach over the same rows in the "
             "same "
             "run "
             "with no arithmetic. A kernel that loads its query again for every row can reach half "
             "of it. "
             "For rows scattered in 512 MiB it is the share of a plain loop that reads the same "
             "rows with "
             "the same prefetch in the same run (`read_rows`). Batches of 32 rows, one thread.\n\n",
             machine_table(machine, results.context.value("commit", "unknown"),
                           results.context.value("command", "vicinal-bench-kernels"))) +
         above_all(results);
}

std::string cell(const Results& results, const std::string& kernel, const std::string& target,
                 int dimension, const std::string& place) {
  const auto found = results.cells.find({kernel, target, dimension, place});
  if (found == results.cells.end()) return "";
  const Measured& m = found->second;
  std::string text = fmt::format("{:.1f}; {:.1f}", m.ns, m.gigabytes);
  if (m.per_cycle > 0) text += fmt::format("; {:.1f}", m.per_cycle);
  if (m.share > 0) text += fmt::format("; {:.0f} %", 100 * m.share);
  return text;
}

std::string table(const Results& results, const std::string& kernel, const std::string& place) {
  std::vector<std::string> targets;
  for (const std::string& target : results.targets) {
    const bool any = std::any_of(results.dimensions.begin(), results.dimensions.end(), [&](int n) {
      return results.cells.count({kernel, target, n, place}) != 0;
    });
    if (any) targets.push_back(target);
  }
  if (targets.empty()) return "";
  std::string text = fmt::format("{}:\n\n| dimension |", place);
  std::string rule = "|--:|";
  for (const std::string& target : targets) {
    text += fmt::format(" {} |", target);
    rule += "---|";
  }
  text += "\n" + rule + "\n";
  for (const int n : results.dimensions) {
    text += fmt::format("| {} |", n);
    for (const std::string& target : targets) {
      text += fmt::format(" {} |", cell(results, kernel, target, n, place));
    }
    text += "\n";
  }
  return text + "\n";
}

/// One panel of the plot: GB/s against the dimension, a line a target.
std::string panel(const Results& results, const std::string& kernel, const std::string& place,
                  int* number) {
  std::string script = fmt::format("set title {} noenhanced\n", quoted(kernel + ", " + place));
  std::string plot;
  for (const std::string& target : results.targets) {
    std::string points;
    for (const int n : results.dimensions) {
      const auto found = results.cells.find({kernel, target, n, place});
      if (found != results.cells.end()) {
        points += fmt::format("{} {}\n", n, found->second.gigabytes);
      }
    }
    if (points.empty()) continue;
    script += fmt::format("$line{} << EOD\n{}EOD\n", *number, points);
    plot += fmt::format("{} $line{} using 1:2 with linespoints lw 2 title {}",
                        plot.empty() ? "plot" : ",", *number, quoted(target));
    ++*number;
  }
  return plot.empty() ? "" : script + plot + "\n";
}

Status write_kernels_plot(const Results& results, const std::string& path) {
  std::string script = fmt::format(
      "set terminal svg size 1100,1000 background 'white'\nset output {}\n"
      "set multiplot layout 3,2\nset xlabel 'dimension'\nset ylabel 'GB/s of rows'\nset grid\n"
      "set yrange [0:*]\nset key outside right noenhanced\n",
      quoted(path));
  int number = 0;
  for (const std::string& place : results.places) {
    for (const char* const kernel : {"distance_i8_many", "dot_f32_many"}) {
      script += panel(results, kernel, place, &number);
    }
  }
  return run_gnuplot(script + "unset multiplot\n", path);
}

Status report(const std::string& json, const std::string& markdown, const std::string& svg) {
  const Result<Results> results = read_results(json);
  if (!results.ok()) return results.status();
  std::string text = introduction(*results);
  if (!svg.empty()) {
    const Status drawn = write_kernels_plot(*results, svg);
    if (!drawn.ok() && drawn.code() != StatusCode::kNotFound) return drawn;
    const std::filesystem::path folder = std::filesystem::path(markdown).parent_path();
    if (drawn.ok()) {
      text += fmt::format("![GB/s of rows against the dimension]({})\n\n",
                          std::filesystem::path(svg).lexically_proximate(folder).string());
    }
  }
  for (const std::string& kernel : results->kernels) {
    text += fmt::format("## {}\n\n", kernel);
    for (const std::string& place : results->places) text += table(*results, kernel, place);
  }
  if (!markdown.empty()) return replace_file(markdown, text);
  fmt::print("{}", text);
  return {};
}

int run(int argc, char** argv) {
  std::string json;
  std::string markdown;
  std::string svg;
  CLI::App app("Tables and a plot of the kernels' speed", "vicinal-bench-kernels-report");
  app.add_option("json", json, "Output of vicinal-bench-kernels --benchmark_out")
      ->required()
      ->check(CLI::ExistingFile);
  app.add_option("--markdown", markdown, "Document (default: standard output)");
  app.add_option("--svg", svg, "Plot");
  CLI11_PARSE(app, argc, argv);
  const Status status = report(json, markdown, svg);
  if (status.ok()) return 0;
  fmt::print(stderr, "vicinal-bench-kernels-report: {}\n", status.to_string());
  return 1;
}

}  // namespace
}  // namespace vicinal::bench

int main(int argc, char** argv) {
  return vicinal::bench::guarded_main("vicinal-bench-kernels-report", vicinal::bench::run, argc,
                                      argv);
}
