// vicinal-proof-soak: 4 writers, 4 searchers and maintenance on one store, beside a model. A round is
// a shift; memory and file are held against those of the third.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/proof/campaign.h"
#include "tests/soak/soak.h"

namespace vicinal::testing {
namespace {

constexpr std::uint64_t kWarm = 3;  // shifts until arenas and the file have their size

std::uint64_t resident_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6)) << 10;
  }
  return 0;
}

void run(Campaign& campaign, std::chrono::milliseconds shift) {
  const std::string folder = campaign.file("soak");
  std::filesystem::create_directory(folder);
  Plan plan = draw_plan(campaign.seed() + 1, folder);
  plan.store.max_map_bytes = 0;
  plan.index.dimension = 32;
  Soak soak(plan);
  std::uint64_t memory = 0;
  std::uint64_t file = 0;
  while (campaign.more()) {
    const std::string wrong = soak.shift(campaign.seed(), shift);
    if (!wrong.empty()) return campaign.finding(wrong);
    if (campaign.rounds() > kWarm) continue;
    memory = resident_bytes();
    file = soak.file_bytes();
  }
  campaign.add("writes", soak.counts().writes);
  campaign.add("searches", soak.counts().searches);
  campaign.add("looks", soak.counts().looks);
  campaign.add("maintenance calls", soak.counts().maintenance);
  campaign.add("memory, KiB", resident_bytes() >> 10);
  campaign.add("memory after the third shift, KiB", memory >> 10);
  campaign.add("file, KiB", soak.file_bytes() >> 10);
  campaign.add("file after the third shift, KiB", file >> 10);
  constexpr std::uint64_t kSlack = 64 << 20;
  if (resident_bytes() > memory + memory / 2 + kSlack) campaign.finding("memory grows");
  if (soak.file_bytes() > file + file / 2 + kSlack) campaign.finding("the file grows");
}

}  // namespace
}  // namespace vicinal::testing

int main(int argc, char** argv) {
  vicinal::testing::Campaign campaign(
      "soak", "everything at once on one store, beside a model, for as long as one likes",
      1'000'000);
  std::uint64_t shift = 3000;
  campaign.arguments().add_option("--shift", shift, "milliseconds")->capture_default_str();
  if (!campaign.parse(argc, argv)) return campaign.exit_code();
  try {
    vicinal::testing::run(campaign, std::chrono::milliseconds(shift));
  } catch (const std::exception& error) {
    campaign.finding(error.what());
  }
  return campaign.finish();
}
