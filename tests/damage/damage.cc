// vicinal-proof-damage: damages to a small store and to a stream, one after another. Whatever becomes of
// the bytes, every call gives right answers or names the damage; none crashes, hangs, or takes more
// memory than twice the file beyond what the sound one takes.
//
// A round is a damage by its seed; with --every-bit it is the bit (seed - 1), of the data file and,
// behind it, of the stream, and with --every-stale-page the earlier page of that number. Children try some hundreds each, so that a crash is one damage's.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <new>
#include <utility>
#include <vector>

#include "tests/damage/damages.h"
#include "tests/damage/examiner.h"
#include "tests/damage/expected.h"
#include "tests/damage/memory_count.h"
#include "tests/proof/campaign.h"

namespace vicinal::testing {
namespace {

constexpr std::uint64_t kTogether = 400;  // damages a child
constexpr unsigned kLongest = 20;         // seconds for one, sanitizers included
// KiB of a child: beside what is counted, maps and LMDB's lists; address sanitizer keeps what was freed.
#if defined(__SANITIZE_ADDRESS__)
constexpr long kMostResident = 2048 << 10;
#else
constexpr long kMostResident = 256 << 10;
#endif

/// What one damage led to.
enum class Answer : std::uint8_t { kRight, kNamed, kRefused, kWrong };

/// What a child tells, in memory that it shares with its parent.
struct Told {
  std::uint64_t done = 0;  ///< damages examined
  struct One {
    Answer answer = Answer::kRight;
    std::size_t memory = 0;
  } each[kTogether];
  char wrong[8000] = {};  ///< the first broken promise, which ends the child
};

struct Arguments {
  bool every_bit = false;
  bool every_stale_page = false;
  std::uint64_t first_byte = 0;
  std::uint64_t last_byte = ~std::uint64_t{0};
  std::size_t most_findings = 1;
  bool verbose = false;
};

class Trials {
 public:
  Trials(Campaign& campaign, Arguments arguments)
      : campaign_(campaign),
        arguments_(arguments),
        sample_(make_sample(campaign.file("sample"))),
        told_(new (::mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                          -1, 0)) Told) {
    campaign_.add("bytes of the file", sample_.file.size());
    campaign_.add("bytes of the stream", sample_.stream.size());
    examine_the_sound_one();
  }
  Trials(const Trials&) = delete;
  Trials& operator=(const Trials&) = delete;
  ~Trials() { ::munmap(told_, sizeof(Told)); }

  void run() {
    std::vector<std::uint64_t> seeds;
    bool more = true;
    bool tried = false;
    while (more) {
      seeds.clear();
      while (seeds.size() < kTogether && more) {
        more = !enough() && campaign_.more();
        if (!more) break;
        const std::uint64_t seed = campaign_.seed() + 8 * arguments_.first_byte;
        more = seed <= last_seed();
        if (more) seeds.push_back(seed);
      }
      for (std::span<const std::uint64_t> left = seeds; !left.empty() && !enough();) {
        left = left.subspan(try_some(left));
        tried = true;
      }
    }
    if (!tried) throw Broken(fmt::format("no damage was tried: the last has seed {}", last_seed()));
    for (const auto& [seed, words] : findings_) campaign_.finding(words, seed);
  }

 private:
  bool enough() const { return findings_.size() >= arguments_.most_findings; }

  std::uint64_t last_seed() const {
    if (arguments_.every_stale_page) return earlier_pages_of(sample_);
    if (!arguments_.every_bit) return ~std::uint64_t{0};
    const std::uint64_t bytes = bits_of(sample_) / 8;
    return 8 * (std::min(arguments_.last_byte, bytes - 1) + 1);
  }

  Damaged damage(std::uint64_t seed) const {
    if (arguments_.every_stale_page) return put_back(sample_, seed - 1);
    return arguments_.every_bit ? flip_bit(sample_, seed - 1) : damage_by(sample_, seed);
  }

  /// All is right with it, and this is the memory that takes.
  void examine_the_sound_one() {
    const int child = ::fork();
    if (child == 0) {
      Examiner examiner(sample_, campaign_.file("sound"));
      for (const bool of_stream : {false, true}) {
        Damaged sound;
        sound.of_stream = of_stream;
        sound.bytes = sample_.file;
        if (of_stream) {
          sound.bytes.assign(reinterpret_cast<const char*>(sample_.stream.data()),
                             sample_.stream.size());
        }
        begin_memory_count();
        const Verdict verdict = examiner.examine(sound);
        told_->each[0].memory = std::max(told_->each[0].memory, most_memory());
        if (!verdict.wrong.empty() || !verdict.named.empty()) {
          fmt::print(stderr, "{}{}\n", verdict.wrong, verdict.named);
          ::_exit(1);
        }
      }
      ::_exit(0);
    }
    int status = 0;
    rusage usage{};
    ::wait4(child, &status, 0, &usage);
    most_resident_ = usage.ru_maxrss + kMostResident;
    must(status == 0, "the undamaged store is not what it should be");
    most_memory_ = told_->each[0].memory + 2 * sample_.file.size();
    campaign_.add("bytes of memory for the sound one", told_->each[0].memory);
  }

  /// Examines damages in a child until one breaks a promise; how many it came to.
  std::size_t try_some(std::span<const std::uint64_t> seeds) {
    *told_ = {};
    const std::string folder = campaign_.file("child");
    std::filesystem::remove_all(folder);
    const int child = ::fork();
    if (child == 0) try_in_child(seeds, folder);
    int status = 0;
    rusage usage{};
    ::wait4(child, &status, 0, &usage);
    for (std::uint64_t i = 0; i < told_->done; ++i) count(damage(seeds[i]), told_->each[i]);
    if (usage.ru_maxrss > most_resident_) {
      add_finding(seeds[0], fmt::format("a child of {} damages has {} KiB, {} are right",
                                        seeds.size(), usage.ru_maxrss, most_resident_));
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return seeds.size();
    const std::uint64_t seed = seeds[told_->done];
    std::string words = told_->wrong;
    if (WIFSIGNALED(status)) {
      words = WTERMSIG(status) == SIGALRM ? "hangs"
                                          : fmt::format("ended by signal {}", WTERMSIG(status));
    } else if (words.empty()) {
      words = fmt::format("ended with {}", WEXITSTATUS(status));
    }
    add_finding(seed, words);
    return told_->done + 1;
  }

  const char* mode() const {
    return arguments_.every_bit          ? "--every-bit "
           : arguments_.every_stale_page ? "--every-stale-page "
                                         : "";
  }

  void add_finding(std::uint64_t seed, const std::string& words) {
    findings_.emplace_back(seed, fmt::format("{}{}: {}", mode(), damage(seed).what, words));
    if (arguments_.most_findings > 1) {
      fmt::print(stderr, "seed {}: {}\n", seed, findings_.back().second);
    }
  }

  [[noreturn]] void try_in_child(std::span<const std::uint64_t> seeds, const std::string& folder) {
    Examiner examiner(sample_, folder);
    for (const std::uint64_t seed : seeds) {
      ::alarm(kLongest);
      Verdict verdict;
      Told::One& one = told_->each[told_->done];
      try {
        const Damaged damaged = damage(seed);
        begin_memory_count();
        verdict = examiner.examine(damaged);
        one.memory = most_memory();
        if (one.memory > most_memory_) {
          verdict.wrong =
              fmt::format("takes {} bytes of memory, {} are right", one.memory, most_memory_);
        }
      } catch (const std::bad_alloc&) {
        verdict.wrong = "asks for memory without bound";
      } catch (const std::exception& error) {
        verdict.wrong = error.what();
      }
      if (arguments_.verbose) {
        fmt::print(stderr, "{} {}: {} {}\n", seed, damage(seed).what,
                   verdict.refused ? "refused" : "opened", verdict.named);
      }
      one.answer = verdict.refused          ? Answer::kRefused
                   : !verdict.named.empty() ? Answer::kNamed
                                            : Answer::kRight;
      if (!verdict.wrong.empty()) {
        std::strncpy(told_->wrong, verdict.wrong.c_str(), sizeof told_->wrong - 1);
        ::_exit(1);
      }
      ++told_->done;
    }
    ::_exit(0);
  }

  void count(const Damaged& damaged, const Told::One& one) {
    campaign_.add("damages");
    campaign_.add(damaged.kind);
    if (!damaged.changed) campaign_.add("no change");
    campaign_.add(one.answer == Answer::kRight   ? "right"
                  : one.answer == Answer::kNamed ? "named and opened"
                                                 : "named and refused");
  }

  Campaign& campaign_;
  const Arguments arguments_;
  const Sample sample_;
  Told* const told_;
  std::size_t most_memory_ = 0;
  long most_resident_ = 0;
  std::vector<std::pair<std::uint64_t, std::string>> findings_;
};

int run(int argc, const char* const* argv) {
  count_engine_memory();
  Campaign campaign("damage", "Damages to a small store and to a stream", 1000);
  Arguments arguments;
  CLI::App& options = campaign.arguments();
  options.add_flag("--every-bit", arguments.every_bit,
                   "flips bit after bit, from that of the seed on, in place of damages by seed");
  options
      .add_flag("--every-stale-page", arguments.every_stale_page,
                "puts each page of each earlier write back, in place of damages by seed")
      ->excludes("--every-bit");
  options.add_option("--first-byte", arguments.first_byte, "of --every-bit: added to the seed");
  options.add_option("--last-byte", arguments.last_byte, "of --every-bit");
  options.add_option("--most-findings", arguments.most_findings, "goes on until it has so many")
      ->capture_default_str();
  options.add_flag("--verbose", arguments.verbose, "says what became of each damage");
  if (!campaign.parse(argc, argv)) return campaign.exit_code();
  try {
    Trials(campaign, arguments).run();
  } catch (const Broken& broken) {
    campaign.finding(broken.what());
  }
  return campaign.finish();
}

}  // namespace
}  // namespace vicinal::testing

int main(int argc, char** argv) { return vicinal::testing::run(argc, argv); }
