#include "bench/common/gnuplot.h"

#include <fmt/core.h>

#include <cstdio>
#include <cstdlib>

namespace vicinal::bench {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

Status run_gnuplot(const std::string& script, const std::string& path) {
  if (std::system("command -v gnuplot >/dev/null 2>&1") != 0) {
    return Status::not_found("gnuplot is not installed");
  }
  std::FILE* gnuplot = ::popen("gnuplot", "w");
  if (gnuplot == nullptr) return Status::io_error("gnuplot does not start");
  const bool written = std::fwrite(script.data(), 1, script.size(), gnuplot) == script.size();
  const int ended = ::pclose(gnuplot);
  if (!written || ended != 0) {
    return Status::io_error(fmt::format("{}: gnuplot ended with wait status {}", path, ended));
  }
  return {};
}

}  // namespace vicinal::bench
