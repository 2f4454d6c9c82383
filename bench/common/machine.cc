#include "bench/common/machine.h"

#include <fmt/core.h>
#include <sys/utsname.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <thread>

#include "vicinal/cpu.h"

namespace vicinal::bench {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The value behind the first "name : value" line of a /proc file; empty when there is none.
std::string proc_field(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t colon = line.find(':');
    if (line.compare(0, name.size(), name) != 0 || colon == std::string::npos) continue;
    const std::size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

std::string caches() {
  std::string text;
  for (int i = 0; i < 8; ++i) {
    const std::string folder = fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}/", i);
    const std::string size = first_line(folder + "size");
    if (size.empty() || first_line(folder + "type") == "Instruction") continue;
    text += fmt::format("{}L{} {}", text.empty() ? "" : ", ", first_line(folder + "level"), size);
  }
  return text.empty() ? "unknown" : text;
}

std::string cpu_name() {
  const std::string path = "/proc/cpuinfo";
  const std::string name = proc_field(path, "model name");
  return fmt::format("{}, family {} model {}, {} CPUs", name.empty() ? "unknown" : name,
                     proc_field(path, "cpu family"), proc_field(path, "model\t"),
                     std::thread::hardware_concurrency());
}

std::string chosen_target() {
  for (const CpuTarget& target : cpu_targets()) {
    if (target.chosen) return target.name;
  }
  return "unknown";
}

/// The load averages of 1, 5 and 15 minutes.
std::string load() {
  std::ifstream file("/proc/loadavg");
  std::string one, five, fifteen;
  file >> one >> five >> fifteen;
  return one + " " + five + " " + fifteen;
}

std::string date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

}  // namespace

nlohmann::ordered_json describe_machine() {
  utsname system{};
  uname(&system);
  const double kib = std::strtod(proc_field("/proc/meminfo", "MemTotal").c_str(), nullptr);
  const std::string pages = first_line("/sys/kernel/mm/transparent_hugepage/enabled");
  return {{"CPU", cpu_name()},
          {"caches", caches()},
          {"memory", fmt::format("{:.1f} GiB", kib / 1048576)},
          {"kernel", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
          {"transparent huge pages", pages.empty() ? "unknown" : pages},
          {"compiler", __VERSION__},
          {"target", chosen_target()},
          {"started", date()},
          {"load at the start", load()}};
}

std::string machine_table(const nlohmann::ordered_json& machine, const std::string& commit,
                          const std::string& command) {
  std::string text = "| | |\n|---|---|\n";
  for (const auto& [name, value] : machine.items()) {
    text += fmt::format("| {} | {} |\n", name, value.get<std::string>());
  }
  std::string cell;
  // A bar of a regular expression would end the cell, even in code.
  for (const char c : command) cell += c == '|' ? std::string("\\|") : std::string(1, c);
  return text + fmt::format("| commit | {} |\n| command | `{}` |\n", commit, cell);
}

Status replace_file(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file << text;
    file.flush();
    if (!file) return Status::io_error(fmt::format("{}: cannot be written", fresh));
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0) {
    return Status::io_error(fmt::format("{}: cannot be replaced", path));
  }
  return {};
}

}  // namespace vicinal::bench
