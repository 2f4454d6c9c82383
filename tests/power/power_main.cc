// vicinal-proof-power: what the power's going leaves of a store.
//
// A round runs a seeded workload on a store of one durability, whose every write and sync is logged,
// then goes through the log and makes at each of its events the images that a power cut could leave:
// nothing of what was not synced, all of it, and by chance, write by write and sector by sector. Each
// image is opened as a store, once, and held against what was acknowledged (verdicts.h).
// Other rounds convert a store of format 1 and cut the power meanwhile (conversion.h).
// Two processes look at the images, so that what crashes or hangs is a finding and no end.
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <new>

#include "tests/faults/system_calls.h"
#include "tests/power/conversion.h"
#include "tests/power/disk.h"
#include "tests/power/verdicts.h"
#include "tests/power/workload.h"
#include "tests/proof/campaign.h"

namespace vicinal::testing {
namespace {

constexpr std::size_t kProcesses = 2;
constexpr unsigned kSecondsAnImage = 30;
constexpr std::size_t kPlaces = 1 << 20;  ///< of hashes

/// What the processes that look at images share.
struct Shared {
  struct Count {
    std::atomic<std::uint64_t> cuts, images, torn, lost, named, gone_on;
  } count;
  std::array<std::atomic<std::uint64_t>, kPlaces> seen;
  struct Process {
    std::uint64_t position, number;  ///< of the image that it looks at
    char broken[8000];
  };
  std::array<Process, kProcesses> processes;

  /// False when an image of that hash was looked at.
  bool is_new(std::uint64_t hash) {
    hash |= 1;
    for (std::size_t i = hash % kPlaces;; i = (i + 1) % kPlaces) {
      std::uint64_t there = 0;
      if (seen[i].compare_exchange_strong(there, hash)) return true;
      if (there == hash) return false;
    }
  }
};

/// Of the image in a folder, made of the log up to a position; `whole`: of all of it; `go_on`: also
/// writes to the store.
using Judge =
    std::function<Outcome(const std::string& folder, std::size_t position, bool whole, bool go_on)>;

/// Goes through the log and looks at every `kProcesses`-th cut.
class Looker {
 public:
  Looker(const Device& device, const Judge& judge, Shared& shared, std::size_t which,
         std::string folder, std::uint64_t seed, std::size_t most)
      : device_(device),
        judge_(judge),
        shared_(shared),
        which_(which),
        folder_(std::move(folder)),
        random_(seed * kProcesses + which),
        disk_(device),
        images_a_cut_(
            std::max<std::size_t>(3, most / std::max<std::size_t>(device.events().size(), 1))) {}

  /// False after a finding.
  bool run() {
    while (disk_.advance()) {
      if (disk_.position() % kProcesses != which_) continue;
      ++shared_.count.cuts;
      if (!cut()) return false;
    }
    return true;
  }

 private:
  bool cut() {
    if (!look({.kept = 1}) || !look({.kept = 0})) return false;
    if (disk_.pending() == 0) return true;
    for (std::size_t i = 2; i < images_a_cut_; ++i) {
      Fate fate;
      fate.kept = std::array{0.1, 0.5, 0.9}[random_() % 3];
      fate.sector = std::array<std::size_t, 3>{0, 512, 4096}[random_() % 3];
      if (random_() % 4 == 0) fate.only = Fate::Only::kOneLost;
      if (random_() % 8 == 0) fate.only = Fate::Only::kOneKept;
      if (!look(fate)) return false;
    }
    return true;
  }

  bool look(const Fate& fate) {
    Shared::Process& own = shared_.processes[which_];
    own.position = disk_.position();
    ++own.number;
    const Image image = disk_.image(fate, random_);
    // All of it is there, as after a kill: then nothing may be lost, whatever the durability.
    const bool whole = disk_.pending() == 0 || (fate.kept >= 1 && fate.only == Fate::Only::kAny);
    const std::uint64_t hash = image.hash();
    const bool first = shared_.is_new(hash);
    if (whole ? !shared_.is_new(~hash) : !first) return true;
    image.make(folder_);
    shared_.count.images += first ? 1 : 0;
    shared_.count.torn += first && image.torn ? 1 : 0;
    const bool go_on = own.number % 8 == 0;
    shared_.count.gone_on += go_on ? 1 : 0;
    ::alarm(kSecondsAnImage);
    const Outcome outcome = judge_(folder_, disk_.position(), whole, go_on);
    shared_.count.lost += outcome.lost ? 1 : 0;
    shared_.count.named += outcome.named ? 1 : 0;
    if (outcome.broken.empty()) return true;
    const std::string text =
        fmt::format("cut at {}, kept {}, sectors of {}, only {}: {}; before it{}", disk_.position(),
                    fate.kept, fate.sector, static_cast<int>(fate.only), outcome.broken,
                    device_.told(disk_.position(), 25));
    std::strncpy(own.broken, text.c_str(), sizeof own.broken - 1);
    return false;
  }

  const Device& device_;
  const Judge& judge_;
  Shared& shared_;
  const std::size_t which_;
  const std::string folder_;
  std::mt19937_64 random_;
  Disk disk_;
  const std::size_t images_a_cut_;
};

class Round {
 public:
  Round(Campaign& campaign, std::size_t calls, std::size_t images)
      : campaign_(campaign), calls_(calls), images_(images) {}

  /// `what`: a durability, or "convert".
  void run(const std::string& what) {
    if (what == "convert") return convert();
    const Durability durability = what == "full"      ? Durability::kFull
                                  : what == "relaxed" ? Durability::kRelaxed
                                                      : Durability::kNone;
    const std::string root = new_root();
    Device device(root);
    observe(&device, root);
    const History history = run_workload(device, durability, campaign_.seed(), calls_);
    observe(nullptr);
    if (!history.failure.empty()) return campaign_.finding(history.failure);
    std::uint64_t calls = 0;
    for (const auto& lane : history.lanes) calls += lane.size();
    const Verdicts verdicts(device, history);
    look_at_all(device, calls, what,
                [&](const std::string& folder, std::size_t position, bool whole, bool go_on) {
                  return verdicts.judge(folder, position, whole, go_on);
                });
  }

 private:
  std::string new_root() const {
    std::string root = campaign_.file("root");
    std::filesystem::remove_all(root);
    std::filesystem::create_directory(root);
    return root;
  }

  void convert() {
    const std::string root = new_root();
    Conversion conversion;
    conversion.lay(root);
    Device device(root);
    observe(&device, root);
    const Status status = conversion.run(device);
    observe(nullptr);
    if (!status.ok()) return campaign_.finding("converting: " + status.to_string());
    look_at_all(device, 1, "convert",
                [&](const std::string& folder, std::size_t position, bool, bool go_on) {
                  return conversion.judge(folder, position, go_on);
                });
  }

  void look_at_all(const Device& device, std::uint64_t calls, const std::string& what,
                   const Judge& judge) {
    campaign_.add("calls", calls);
    campaign_.add("events", device.events().size());
    const auto writes = static_cast<std::uint64_t>(
        std::count_if(device.events().begin(), device.events().end(),
                      [](const Event& event) { return event.kind == Event::Kind::kWrite; }));
    campaign_.add("writes", writes);
    if (writes <= calls / 4) return campaign_.finding("LMDB's writes were not seen");
    void* const memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return campaign_.finding("no memory to share");
    auto& shared = *new (memory) Shared();
    std::array<pid_t, kProcesses> children{};
    for (std::size_t i = 0; i < kProcesses; ++i) {
      children[i] = ::fork();
      if (children[i] != 0) continue;
      const std::string folder = campaign_.file(fmt::format("image{}", i));
      Looker looker(device, judge, shared, i, folder, campaign_.seed(), images_);
      const bool good = looker.run();
      ::_exit(good ? 0 : 1);
    }
    for (std::size_t i = 0; i < kProcesses; ++i) {
      int status = 0;
      if (children[i] < 0 || ::waitpid(children[i], &status, 0) != children[i]) {
        campaign_.finding("no process to look at images");
      } else if (WIFSIGNALED(status)) {
        campaign_.finding(fmt::format("signal {} at a cut at {}, image {}", WTERMSIG(status),
                                      shared.processes[i].position, shared.processes[i].number));
      } else if (WEXITSTATUS(status) != 0) {
        campaign_.finding(shared.processes[i].broken);
      }
    }
    add(shared, what);
    ::munmap(memory, sizeof(Shared));
  }

  void add(const Shared& shared, const std::string& what) {
    campaign_.add("cuts", shared.count.cuts);
    campaign_.add("images", shared.count.images);
    campaign_.add(fmt::format("images {}", what), shared.count.images);
    campaign_.add("torn", shared.count.torn);
    campaign_.add("written to afterwards", shared.count.gone_on);
    if (what != "relaxed" && what != "none") return;
    campaign_.add(fmt::format("{}: something lost", what), shared.count.lost);
    campaign_.add(fmt::format("{}: damage named", what), shared.count.named);
  }

  Campaign& campaign_;
  const std::size_t calls_;
  const std::size_t images_;
};

int main(int argc, char** argv) {
  Campaign campaign("power", "Cuts the power of a store's disk at every moment of a workload.", 40);
  std::size_t calls = 80;
  std::size_t images = 12'000;
  std::string only;
  campaign.arguments().add_option("--calls", calls, "of a round's workload")->capture_default_str();
  campaign.arguments().add_option("--images", images, "of a round, about")->capture_default_str();
  campaign.arguments()
      .add_option("--only", only, "durability of all rounds, or all convert; else in turn")
      ->check(CLI::IsMember({"full", "relaxed", "none", "convert"}));
  if (!campaign.parse(argc, argv)) return campaign.exit_code();
  Round round(campaign, calls, images);
  while (campaign.more()) {
    static constexpr std::array kTurns = {"full", "relaxed", "full", "none", "convert"};
    round.run(only.empty() ? kTurns[campaign.seed() % kTurns.size()] : only);
  }
  return campaign.finish();
}

}  // namespace
}  // namespace vicinal::testing

int main(int argc, char** argv) { return vicinal::testing::main(argc, argv); }
