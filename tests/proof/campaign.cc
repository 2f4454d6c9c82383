#include "tests/proof/campaign.h"

#include <fmt/core.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

namespace vicinal::testing {
namespace {

constexpr const char* kInMemory = "/dev/shm";

/// Whether it is there, with room for what a campaign makes: containers often have 64 MiB of it.
bool has_memory_folder() {
  constexpr std::uint64_t kRoom = 1 << 30;
  struct statvfs info {};
  return ::access(kInMemory, W_OK) == 0 && ::statvfs(kInMemory, &info) == 0 &&
         std::uint64_t{info.f_bavail} * info.f_frsize >= kRoom;
}

}  // namespace

Campaign::Campaign(std::string name, std::string description, std::uint64_t rounds)
    : name_(std::move(name)),
      arguments_(std::make_unique<CLI::App>(std::move(description))),
      most_rounds_(rounds) {
  arguments_->add_option("--seed", seed_, "of the first round; each round has the next")
      ->capture_default_str();
  arguments_->add_option("--rounds", most_rounds_, "at most so many")->capture_default_str();
  arguments_->add_option("--minutes", minutes_, "at most so long; 0: no limit")
      ->capture_default_str();
  arguments_->add_option("--folder", parent_, "where stores are made")
      ->check(CLI::ExistingDirectory);
  arguments_->add_flag_callback(
      "--in-memory", [this] { parent_ = has_memory_folder() ? kInMemory : ""; },
      "stores are made in /dev/shm, where there is room");
  arguments_->add_option("--report", report_, "adds one line of JSON to this file");
}

Campaign::~Campaign() = default;

bool Campaign::parse(int argc, const char* const* argv) {
  try {
    arguments_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code_ = arguments_->exit(error);
    return false;
  }
  if (!parent_.empty()) setenv("TMPDIR", parent_.c_str(), 1);
  folder_ = std::make_unique<TemporaryFolder>();
  begun_ = std::chrono::steady_clock::now();
  return true;
}

bool Campaign::more() {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun_;
  if (found() || round_ >= most_rounds_) return false;
  if (minutes_ > 0 && passed.count() >= minutes_ * 60) return false;
  ++round_;
  return true;
}

void Campaign::add(const std::string& what, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  counts_[what] += count;
}

std::uint64_t Campaign::counted(const std::string& what) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(what);
  return found == counts_.end() ? 0 : found->second;
}

void Campaign::finding(const std::string& message, std::uint64_t seed) {
  const std::lock_guard lock(mutex_);
  findings_.push_back(message);
  fmt::print(stderr, "{}: {}\n  again: --seed {} --rounds 1\n", name_, message, seed);
}

bool Campaign::found() const {
  const std::lock_guard lock(mutex_);
  return !findings_.empty();
}

int Campaign::finish() {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun_;
  nlohmann::json line{{"campaign", name_},         {"seed", seed_},     {"rounds", round_},
                      {"seconds", passed.count()}, {"counts", counts_}, {"findings", findings_}};
  // Words about damage may have any bytes in them.
  const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  fmt::print("{}\n", text);
  if (!report_.empty()) {
    std::ofstream file(report_, std::ios::app);
    file << text << '\n';
    if (!file.flush()) {
      fmt::print(stderr, "{}: cannot write {}\n", name_, report_);
      return 1;
    }
  }
  return findings_.empty() ? 0 : 1;
}

}  // namespace vicinal::testing
