// vicinal-proof-faults: every system call of every verb fails once, and from then on.
//
// A verb is run once to count its system calls; then once for each of them and for each way in which
// it may fail. What the verb answers must be true: after ok what it did is there, after an error
// nothing of it is, or, where the answer of the disk was lost, all of it. Meanwhile the store can be
// searched; when the fault is over it goes on, or says why not (N5); a new process opens it and finds
// every acknowledged write. Each case runs in a process of its own, with an alarm.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstring>
#include <filesystem>
#include <new>
#include <set>

#include "tests/faults/faulter.h"
#include "tests/faults/limits.h"
#include "tests/faults/verbs.h"
#include "tests/proof/campaign.h"

namespace vicinal::testing {
namespace {

constexpr unsigned kSecondsACase = 20;
constexpr Label kLater = 700;
constexpr std::size_t kMostCalls = 4000;
constexpr std::uint64_t kEveryOfLimits = 10;

/// What a case's process tells.
struct Told {
  bool ok;        ///< the verb's answer
  bool changed;   ///< in memory it is as after the verb
  bool went_on;   ///< a write after the fault was acknowledged
  bool happened;  ///< the fault
  bool over;      ///< it must be opened again, and said so
  char struck[200];
  char refused[300];  ///< why it did not go on
  char broken[3000];
  std::size_t calls;
  struct Possible {
    std::uint8_t count;
    Verdict verdicts[6];
  } possible[kMostCalls];

  void breaks(const std::string& text) {
    if (broken[0] == 0) std::strncpy(broken, text.c_str(), sizeof broken - 1);
  }
};

class Case {
 public:
  Case(const Verb& verb, Durability durability, std::string folder, Told& told)
      : verb_(verb), scene_{std::move(folder), verb.options}, told_(told) {
    scene_.options.durability = durability;
  }

  /// In a process of its own.
  void run(std::uint64_t number, const Fault& fault) {
    observe(&faulter_, scene_.folder, true);
    if (verb_.before == Verb::Before::kOpen) {
      if (const Status s = scene_.open(); !s.ok()) return told_.breaks("before: " + s.to_string());
    }
    faulter_.arm(number, fault);
    const Status status = answer(fault);
    told_.calls = faulter_.calls();
    told_.ok = status.ok();
    if (scene_.store != nullptr && verb_.leaves_open) look_on(fault);
    faulter_.disarm();
    report();
    check_answer(status);
    if (scene_.store != nullptr && verb_.leaves_open) go_on();
    observe(nullptr);
  }

 private:
  /// Memory that is missing may be told by an exception.
  Status answer(const Fault& fault) {
    try {
      return verb_.run(scene_);
    } catch (const std::bad_alloc&) {
      if (fault.verdict.error != ENOMEM) told_.breaks("it threw std::bad_alloc");
      return Status::full("std::bad_alloc");
    }
  }

  /// Whether it says that what is read from the file can be read no more, as after the failure of a
  /// commit's last write.
  static bool is_over(const std::string& name, const Status& status) {
    return name == "mapped" && status.code() == StatusCode::kIoError &&
           status.message().find("open the store again") != std::string::npos;
  }

  /// While the fault lasts.
  void look_on(const Fault& fault) {
    for (auto& [name, index] : scene_.indexes) {
      if (name == "mapped" && fault.lasting) continue;  // whose vectors are read from the file
      const std::vector<float> wanted = contents_vector(30, 1);
      const Result<SearchResult> hits = index.search(wanted, {.k = 1});
      if (hits.status().code() == StatusCode::kClosed) continue;  // dropped
      if (is_over(name, hits.status())) continue;
      if (!hits) return told_.breaks("searching meanwhile: " + hits.status().to_string());
      const Result<std::vector<float>> vector = index.get(30);
      if (vector.status().code() == StatusCode::kNotFound || is_over(name, vector.status()))
        continue;
      if (!vector) return told_.breaks("get() meanwhile: " + vector.status().to_string());
    }
  }

  void report() {
    told_.happened = faulter_.happened();
    std::strncpy(told_.struck, faulter_.struck().c_str(), sizeof told_.struck - 1);
    for (std::size_t i = 0; i < std::min(faulter_.possible().size(), kMostCalls); ++i) {
      const std::vector<Verdict>& verdicts = faulter_.possible()[i];
      told_.possible[i].count = static_cast<std::uint8_t>(verdicts.size());
      std::copy(verdicts.begin(), verdicts.end(), told_.possible[i].verdicts);
    }
  }

  void check_answer(const Status& status) {
    static const std::set<StatusCode> kTrue{StatusCode::kOk, StatusCode::kIoError,
                                            StatusCode::kFull, StatusCode::kBusy};
    if (!kTrue.contains(status.code())) told_.breaks("it answered " + status.to_string());
    if (!status.ok() && status.message().empty()) told_.breaks("an error without a word");
  }

  void go_on() {
    Contents before = first_contents();
    Contents after = before;
    verb_.change(after);
    const Result<Contents> contents = scene_.contents();
    if (!contents && is_over("mapped", contents.status())) {
      told_.over = true;
      scene_.indexes.erase("mapped");
      return go_on_without_mapped();
    }
    if (!contents) return told_.breaks("reading afterwards: " + contents.status().to_string());
    told_.changed = *contents == after;
    if (told_.ok && !told_.changed && verb_.before == Verb::Before::kOpen) {
      told_.breaks("it said ok, and memory has " + described(*contents));
    }
    if (!told_.ok && !told_.changed && *contents != before && verb_.before == Verb::Before::kOpen) {
      told_.breaks("half of it is in memory: " + described(*contents));
    }
    const auto index = scene_.indexes.find("graph");
    if (index == scene_.indexes.end() || scene_.options.read_only) return;
    const Status later = index->second.upsert(kLater, contents_vector(kLater, 1)).status();
    told_.went_on = later.ok();
    if (later.ok()) {
      const Status closed = scene_.store->close();
      if (!closed.ok()) told_.breaks("it went on, and closing said " + closed.to_string());
    } else {
      std::strncpy(told_.refused, later.to_string().c_str(), sizeof told_.refused - 1);
      if (later.code() != StatusCode::kIoError && later.code() != StatusCode::kFull) {
        told_.breaks("going on: " + later.to_string());
      }
    }
  }

  /// Nothing can be written then, and the others can be read.
  void go_on_without_mapped() {
    const Status later = scene_.index("graph").upsert(kLater, contents_vector(kLater, 1)).status();
    if (later.ok()) return told_.breaks("it went on, with a map or meta page that is lost");
    if (later.message().find("open the store again") == std::string::npos) {
      told_.breaks("going on: " + later.to_string());
    }
    std::erase_if(scene_.indexes, [](auto& entry) {  // dropped, or not: who knows before that
      return entry.second.search(contents_vector(1, 1)).status().code() == StatusCode::kClosed;
    });
    const Result<Contents> rest = scene_.contents();
    if (!rest) told_.breaks("reading the rest: " + rest.status().to_string());
    const Status closed = scene_.store->close();
    if (closed.ok()) told_.breaks("closing said ok, with a journal that waits for a checkpoint");
  }

  const Verb& verb_;
  Faulter faulter_;
  Scene scene_;
  Told& told_;
};

class Sweep {
 public:
  /// Of the verb called `only`, or all; `tells`: says of each case how it ended.
  Sweep(Campaign& campaign, Durability durability, std::uint64_t every, std::string only,
        bool tells)
      : campaign_(campaign),
        durability_(durability),
        every_(every),
        only_(std::move(only)),
        tells_(tells) {
    void* const memory =
        ::mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    told_ = memory == MAP_FAILED ? nullptr : new (memory) Told();
  }
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;
  ~Sweep() {
    if (told_ != nullptr) ::munmap(told_, sizeof(Told));
  }

  void run(const std::string& old_format) {
    first_ = campaign_.file("first");
    old_ = old_format;
    std::filesystem::remove_all(first_);
    std::filesystem::create_directory(first_);
    const Status made = told_ == nullptr ? Status::io_error("no memory to share")
                                         : make_first_store(first_ + "/store");
    if (!made.ok()) return campaign_.finding("making a store: " + made.to_string());
    for (const Verb& verb : all_verbs()) {
      if (only_.empty() || verb.name == only_) run_verb(verb);
    }
    for (const auto& [why, count] : refused_) {
      fmt::print("refused afterwards, {} times: {}\n", count, why);
    }
  }

 private:
  void run_verb(const Verb& verb) {
    if (campaign_.found() && findings_ > kMostFindings) return;
    if (!run_case(verb, 0, {})) return finding(verb, 0, {});
    if (!told_->ok) return campaign_.finding(verb.name + " fails without a fault");
    const std::size_t calls = std::min(told_->calls, kMostCalls);
    std::vector<std::vector<Verdict>> possible(calls);
    for (std::size_t i = 0; i < calls; ++i) {
      const auto& there = told_->possible[i];
      possible[i].assign(there.verdicts, there.verdicts + there.count);
    }
    campaign_.add("verbs");
    campaign_.add("system calls", calls);
    for (std::size_t i = 0; i < calls; ++i) {
      for (const Verdict& verdict : possible[i]) {
        for (const bool lasting : {false, true}) {
          // No regular file is read so for long.
          if (lasting && verdict.kind == Verdict::Kind::kShort) continue;
          if (++cases_ % every_ != campaign_.seed() % every_) continue;
          const Fault fault{verdict, lasting};
          campaign_.add("cases");
          if (!run_case(verb, i + 1, fault)) finding(verb, i + 1, fault);
          if (tells_) tell(verb, i + 1, fault);
          if (findings_ > kMostFindings) return;
        }
      }
    }
  }

  void tell(const Verb& verb, std::uint64_t number, const Fault& fault) const {
    fmt::print("{}, call {} ({}) {}: {}, {} {}\n", verb.name, number, told_->struck,
               fault.described(), told_->ok ? "ok" : "an error",
               told_->went_on ? "went on" : "did not go on", told_->refused);
  }

  void finding(const Verb& verb, std::uint64_t number, const Fault& fault) {
    ++findings_;
    campaign_.finding(fmt::format("{}, call {} ({}) {}: {}", verb.name, number, told_->struck,
                                  fault.described(), told_->broken));
  }

  bool run_case(const Verb& verb, std::uint64_t number, const Fault& fault) {
    std::memset(static_cast<void*>(told_), 0, sizeof(Told));
    const std::string folder = campaign_.file("case");
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    if (verb.before == Verb::Before::kOldFormat) {
      std::filesystem::create_directory(folder + "/store");
      std::filesystem::copy(old_, folder + "/store");
    } else if (verb.before != Verb::Before::kNothing) {
      std::filesystem::copy(first_ + "/store", folder + "/store");
    }
    in_child([&] { Case(verb, durability_, folder, *told_).run(number, fault); });
    if (told_->broken[0] != 0) return false;
    if (told_->happened) campaign_.add("system faults");
    if (told_->over) campaign_.add("stores that said they must be opened again");
    if (told_->happened && told_->ok) campaign_.add("verbs that succeeded in spite of it");
    if (told_->refused[0] != 0) ++refused_[told_->refused];
    in_child([&] { look_again(verb, folder); });
    return told_->broken[0] == 0;
  }

  /// In a new process, without a fault.
  void look_again(const Verb& verb, const std::string& folder) {
    StoreOptions options;
    options.background = false;
    if (verb.before == Verb::Before::kOldFormat) {
      const Result<bool> converted = Store::convert(folder + "/store");
      if (!converted) return told_->breaks("converting again: " + converted.status().to_string());
      if (told_->ok && *converted) return told_->breaks("it said ok, and was not converted");
    }
    Result<Store> store = Store::open(folder + "/store", options);
    if (!store) return told_->breaks("opening again: " + store.status().to_string());
    if (verb.before == Verb::Before::kOldFormat) return look_at_converted(*store);
    const Result<Contents> found = read_contents(*store);
    if (!found) return told_->breaks("reading again: " + found.status().to_string());
    Contents before = verb.before == Verb::Before::kNothing ? Contents() : first_contents();
    Contents after = first_contents();
    verb.change(after);
    if (told_->went_on) {
      // Then memory is what counts.
      if (told_->changed) before = after;
      if (!told_->changed) after = before;
      before["graph"][kLater] = after["graph"][kLater] = 1;
    }
    if (told_->ok) before = after;
    if (*found != before && *found != after) {
      told_->breaks(fmt::format("{}, {}, {}; a new process finds {}", told_->ok ? "ok" : "an error",
                                told_->changed ? "memory has it" : "memory has it not",
                                told_->went_on ? "went on" : "did not go on", described(*found)));
    }
  }

  /// Its vectors are others than ours.
  void look_at_converted(Store& store) {
    const Result<std::vector<std::string>> names = store.index_names();
    if (!names) return told_->breaks(names.status().to_string());
    for (const std::string& name : *names) {
      const Result<Index> index = store.open_index(name);
      if (!index) return told_->breaks(index.status().to_string());
      const Result<ValidateReport> report = index->validate({.deep = true});
      if (!report || !report->sound()) return told_->breaks(name + " is not sound");
    }
    if (names->empty()) told_->breaks("converted, and no index is there");
  }

  template <typename Work>
  void in_child(const Work& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(kSecondsACase);
      work();
      ::_exit(0);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) return told_->breaks("no process");
    if (WIFSIGNALED(status)) told_->breaks(fmt::format("signal {}", WTERMSIG(status)));
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0) told_->breaks("it left the program");
  }

  static constexpr std::uint64_t kMostFindings = 100;
  Campaign& campaign_;
  const Durability durability_;
  const std::uint64_t every_;
  const std::string only_;
  const bool tells_;
  Told* told_ = nullptr;
  std::string first_;
  std::string old_;
  std::uint64_t cases_ = 0;
  std::uint64_t findings_ = 0;
  std::map<std::string, std::uint64_t> refused_;
};

int main(int argc, char** argv) {
  Campaign campaign("faults", "Fails every system call of every verb of a store.", 2);
  std::uint64_t every = 1;
  std::string old_format = VICINAL_OLD_FORMAT;
  campaign.arguments()
      .add_option("--every", every, "only each so manieth case")
      ->capture_default_str();
  campaign.arguments().add_option("--old-format", old_format, "folder of a store of format 1");
  std::string only;
  bool tells = false;
  campaign.arguments().add_option("--verb", only, "only this one");
  campaign.arguments().add_flag("--tell", tells, "how each case ended");
  if (!campaign.parse(argc, argv)) return campaign.exit_code();
  while (campaign.more()) {
    const Durability durability =
        campaign.seed() % 2 == 0 ? Durability::kRelaxed : Durability::kFull;
    every = std::max<std::uint64_t>(every, 1);
    Sweep(campaign, durability, every, only, tells).run(old_format);
    if (!campaign.found() && only.empty()) fill_disks(campaign);
    // Half a minute, and no sanitizer lives in so little.
    if (!campaign.found() && only.empty() && every <= kEveryOfLimits) limit_memory(campaign);
  }
  return campaign.finish();
}

}  // namespace
}  // namespace vicinal::testing

int main(int argc, char** argv) { return vicinal::testing::main(argc, argv); }
