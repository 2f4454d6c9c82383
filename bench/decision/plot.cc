#include <fmt/core.h>

#include "bench/common/gnuplot.h"
#include "bench/decision/report.h"

namespace vicinal::bench {
namespace {

/// A gnuplot data block and how it is drawn.
struct Line {
  std::string title;
  std::string points;
  std::string style;
};

/// Milliseconds per row of the batch at every size measured.
std::string points_of(const Json& record, const std::string& shape,
                      std::initializer_list<const char*> path, double factor) {
  std::string points;
  for (const Json& size : record["sizes"]) {
    const auto value = value_at(record, shape, size.get<std::uint64_t>(), path);
    if (!value) continue;
    points += fmt::format("{} {}\n", size.get<std::uint64_t>(), *value * factor);
  }
  return points;
}

std::vector<Line> lines_of(const Json& record, const std::string& shape) {
  const double per_row = 1000 / record["batch"].get<double>();
  std::string quoted_rebuild;
  std::string quoted_insert;
  for (const Json& line : record["record"]["lines"]) {
    const std::uint64_t size = line["size"];
    quoted_rebuild += fmt::format("{} {}\n", size, line["rebuild_s"].get<double>() * per_row);
    quoted_insert += fmt::format("{} {}\n", size, line["incremental_ms_estimated"].get<double>());
  }
  const std::string solid = "with linespoints lw 2";
  const std::string dashed = "with linespoints lw 1 dt 2";
  return {{"rebuild, amortised over the batch",
           points_of(record, shape, {"store", "rebuild", "batch_s"}, per_row), solid},
          {"incremental, durable, in the batch",
           points_of(record, shape, {"store", "incremental", "batch_s"}, per_row), solid},
          {"incremental, durable, single (mean)",
           points_of(record, shape, {"store", "incremental", "single", "mean_us"}, 1e-3), solid},
          {"incremental, in memory, single (mean)",
           points_of(record, shape, {"memory", "incremental", "single", "mean_us"}, 1e-3), solid},
          {"record: rebuild (another machine)", quoted_rebuild, dashed},
          {"record: incremental (its estimate)", quoted_insert, dashed}};
}

}  // namespace

Status write_decision_plot(const Json& record, const std::string& shape, const std::string& path) {
  std::string script = fmt::format(
      "set terminal svg size 800,560 background 'white'\nset output {}\n"
      "set title {} noenhanced\nset xlabel 'vectors in the index'\n"
      "set ylabel 'milliseconds per insert'\nset logscale xy\nset grid\nset key top left "
      "noenhanced\n"
      "set format x '%.0s%c'\n",
      quoted(path),
      quoted(fmt::format("Cost of an insert, {} vectors of {} dimensions, batches of {}", shape,
                         record["dimension"].get<unsigned>(), record["batch"].get<unsigned>())));
  std::string plot;
  int number = 0;
  for (const Line& line : lines_of(record, shape)) {
    if (line.points.empty()) continue;
    script += fmt::format("$line{} << EOD\n{}EOD\n", number, line.points);
    plot += fmt::format("{} $line{} using 1:2 {} title {}", plot.empty() ? "plot" : ",", number,
                        line.style, quoted(line.title));
    ++number;
  }
  return run_gnuplot(script + plot + "\n", path);
}

}  // namespace vicinal::bench
