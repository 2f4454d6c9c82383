#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "bench/compare/report.h"

namespace vicinal::bench {
namespace {

/// A gnuplot string in single quotes.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

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
  if (std::system("command -v gnuplot >/dev/null 2>&1") != 0) {
    return Status::not_found("gnuplot is not installed");
  }
  std::FILE* gnuplot = ::popen("gnuplot", "w");
  if (gnuplot == nullptr) return Status::io_error("gnuplot does not start");
  const std::string text = script(result, path);
  const bool written = std::fwrite(text.data(), 1, text.size(), gnuplot) == text.size();
  const int ended = ::pclose(gnuplot);
  if (!written || ended != 0) {
    return Status::io_error(fmt::format("{}: gnuplot ended with wait status {}", path, ended));
  }
  return {};
}

}  // namespace vicinal::bench
