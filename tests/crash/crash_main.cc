// vicinal-proof-crash: kills a process at work on a store, thousands of times, and looks what is
// there. A round is one store through several crashes.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <random>

#include "tests/crash/audit.h"
#include "tests/crash/kills.h"
#include "tests/crash/workload.h"
#include "tests/proof/campaign.h"

namespace vicinal::testing {
namespace {

constexpr std::uint64_t kRecallEvery = 8;  // audits
constexpr unsigned kAuditSeconds = 120;
// A crash may not cost recall; of one index built twice it differs by as much.
constexpr double kMostRecallLost = 0.01;

class Crashes {
 public:
  Crashes(Campaign& campaign, std::uint64_t kills, std::uint64_t kills_per_store)
      : campaign_(campaign), kills_(kills), kills_per_store_(kills_per_store) {}

  void run() {
    while (kills() < kills_ && campaign_.more()) one_store();
    campaign_.add("acknowledged calls", ledger_->acknowledged);
    compare_recall();
    count_places();
  }

 private:
  std::uint64_t kills() const { return campaign_.counted("kills"); }

  void one_store() {
    const std::string folder = campaign_.file(fmt::format("store-{}", campaign_.seed()));
    std::filesystem::create_directory(folder);
    const Plan plan = draw_plan(campaign_.seed(), folder);
    std::mt19937_64 random(plan.seed);
    ledger_.begin_anew();
    for (std::uint64_t i = 0; i < kills_per_store_ && kills() < kills_ && !campaign_.found(); ++i) {
      one_crash(plan, random);
    }
    campaign_.add("stores");
    std::filesystem::remove_all(folder);
  }

  void one_crash(const Plan& plan, std::mt19937_64& random) {
    const std::uint64_t seed = random();
    kill(plan, random, std::chrono::milliseconds(250), "at work",
         [&] { work_until_killed(plan, *ledger_, seed); });
    while (random() % 3 == 0 && !campaign_.found()) {
      kill(plan, random, std::chrono::milliseconds(40), "while reopening",
           [&] { reopen_until_killed(plan, *ledger_); });
    }
    if (!campaign_.found()) look(plan);
  }

  void kill(const Plan& plan, std::mt19937_64& random, std::chrono::microseconds longest,
            const char* when, const std::function<void()>& life) {
    const Death death = draw_death(random, longest);
    const End end = run_and_kill(*ledger_, death, random, life);
    if (end.killed) {
      campaign_.add("kills");
      campaign_.add(fmt::format("kills {}", when));
    } else if (end.exit_code != 0 || end.signal != 0) {
      campaign_.finding(fmt::format("store {}, kill {}, {}: {}", plan.seed, kills(), when,
                                    end.describe(*ledger_)));
    }
  }

  void look(const Plan& plan) {
    const bool with_recall = ++audits_ % kRecallEvery == 0;
    const End end = vicinal::testing::run(*ledger_, kAuditSeconds, [&] {
      const std::string wrong = audit(plan, *ledger_, with_recall);
      if (!wrong.empty()) wrong_answer(*ledger_, wrong);
      ::_exit(0);
    });
    if (end.killed || end.exit_code != 0 || end.signal != 0) {
      campaign_.finding(
          fmt::format("store {}, after kill {}: {}", plan.seed, kills(), end.describe(*ledger_)));
      return;
    }
    const Audited& audited = ledger_->audited;
    campaign_.add("audits");
    campaign_.add("labels compared", audited.labels);
    campaign_.add("calls cut off", audited.unacknowledged);
    campaign_.add("calls cut off and kept", audited.kept);
    if (audited.fresh_recall == 0) return;
    ++recalls_;
    recall_ += audited.recall;
    fresh_recall_ += audited.fresh_recall;
  }

  void compare_recall() {
    if (recalls_ == 0) return;
    const auto count = static_cast<double>(recalls_);
    const double lost = (fresh_recall_ - recall_) / count;
    fmt::print("recall: {:.4f} after crashes, {:.4f} of the same vectors built anew, {} times\n",
               recall_ / count, fresh_recall_ / count, recalls_);
    // Few comparisons say little.
    if (lost > kMostRecallLost * (1 + 3 / std::sqrt(count))) {
      campaign_.finding(
          fmt::format("recall is {:.4f} lower than that of an index built anew", lost));
    }
  }

  void count_places() {
    std::uint64_t killed = 0;
    for (std::uint32_t i = 0; i < ledger_->place_count; ++i) {
      const Place& place = ledger_->places[i];
      fmt::print("{:32} reached {:10}, killed at {:6}\n", place.name.data(), place.reached.load(),
                 place.killed.load());
      killed += place.killed;
    }
    campaign_.add("kills at places", killed);
  }

  Campaign& campaign_;
  const std::uint64_t kills_;
  const std::uint64_t kills_per_store_;
  SharedLedger ledger_;
  std::uint64_t audits_ = 0;
  std::uint64_t recalls_ = 0;
  double recall_ = 0;
  double fresh_recall_ = 0;
};

}  // namespace
}  // namespace vicinal::testing

int main(int argc, char** argv) {
  vicinal::testing::Campaign campaign(
      "crash", "kills a process at work on a store, and looks what is there", 1'000'000);
  std::uint64_t kills = 10'000;
  std::uint64_t kills_per_store = 20;
  campaign.arguments().add_option("--kills", kills, "in all")->capture_default_str();
  campaign.arguments()
      .add_option("--kills-per-store", kills_per_store, "then a new one is made")
      ->capture_default_str();
  if (!campaign.parse(argc, argv)) return campaign.exit_code();
  vicinal::testing::Crashes(campaign, kills, kills_per_store).run();
  return campaign.finish();
}
