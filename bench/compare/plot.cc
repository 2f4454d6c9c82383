#include <fmt/core.h>

#include <string>

#include "bench/common/gnuplot.h"
#include "bench/compare/report.h"

namespace vicinal::bench {
namespace {

std::string script(const Json& result, const std::string& path) {
  std::string text = fmt::format(
      "set terminal svg size 800,560 background 'white'\nset output {}\nset title {} noenhanced\n"
      "set xlabel 'recall@{}'\nset ylabel 'queries per second, one thread'\n"
      "set logscale y\nset grid\nset key bottom left noenhanced\nset format y '%.0f'\n",
      quoted(path),
      quoted(fmt::format("{}, {} x {}", result["dataset"].get<std::string>(),
                         result["rows"].get<std::uint64_t>(), result["dimension"].get<unsigned>())),
      result["k"].get<unsigned>());
  std::string plot = "plot";
  for (std::size_t i = 0; i < result["queries"].size(); ++i) {
    const Json& line = result["queries"][i];
    text += fmt::format("$line{} << EOD\n", i);
    for (const Json& point : line["points"]) {
      text += fmt::format("{} {}\n", point["recall"].get<double>(), point["qps"].get<double>());
    }
    text += "EOD\n";
    plot += fmt::format("{} $line{} using 1:2 with linespoints lw 2 title {}", i == 0 ? "" : ",", i,
                        quoted(engine_title(line["engine"])));
  }
  return text + plot + "\n";
}

}  // namespace

Status write_plot(const Json& result, const std::string& path) {
  return run_gnuplot(script(result, path), path);
}

}  // namespace vicinal::bench
