// vicinal-proof-processes: a store and several processes, and one process that opens and closes it
// again and again.
//
// A round: a writer in a child does scripted writes and says in shared memory which have begun and which
// are acknowledged. Beside it another writer is refused at once, also while the first stands still;
// readers open the store and see it as it was after one of the writes that it could be; some are killed
// while they read. Then the writer is killed: its lock is gone, all that it acknowledged is there, and
// the killed readers' slots are cleared. After that come so many openings and closings: nothing is left
// of them.
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <new>
#include <numeric>
#include <optional>

#include "tests/damage/expected.h"
#include "tests/damage/leaks.h"
#include "tests/damage/scripted.h"
#include "tests/proof/campaign.h"
#include "vicinal/store.h"

namespace vicinal::testing {
namespace {

constexpr const char* kName = "text";
constexpr int kKilledReaders = 3;
constexpr unsigned kLongest = 60;  // seconds for a child, then it hangs

/// What a writer tells.
struct Told {
  std::atomic<std::uint64_t> begun{0};      ///< writes 0 to begun - 1 may be there
  std::atomic<std::uint64_t> done{0};       ///< writes 0 to done - 1 are
  std::atomic<std::uint64_t> snapshots{0};  ///< that readers have checked
};

StoreOptions options_of(bool read_only, std::atomic<std::uint64_t>* stale = nullptr) {
  StoreOptions options;
  options.durability = Durability::kRelaxed;
  options.read_only = read_only;
  options.create = !read_only;
  options.checkpoint_bytes = 4 << 10;
  if (stale != nullptr) {
    options.on_event = [stale](const Event& event) {
      if (event.kind == EventKind::kStaleReader) *stale += event.value;
    };
  }
  return options;
}

/// A child that runs `body` and ends by its answer.
pid_t start(const std::function<int()>& body) {
  const pid_t child = ::fork();
  must(child >= 0, "no child can be had");
  if (child != 0) return child;
  ::alarm(kLongest);
  try {
    ::_exit(body());
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    ::_exit(1);
  }
}

/// How it ended: its answer, or 128 and a signal.
int end_of(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class Round {
 public:
  Round(Campaign& campaign, std::uint64_t seed)
      : campaign_(campaign),
        script_(seed),
        random_(seed),
        path_(campaign.file(fmt::format("store-{}", seed))),
        told_(new (::mmap(nullptr, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                          -1, 0)) Told) {
    std::iota(labels_.begin(), labels_.end(), Label{0});
  }
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;
  ~Round() { ::munmap(told_, sizeof(Told)); }

  void run() {
    const pid_t writer = start([this] { return write(); });
    std::optional<Keeper> keeper;
    try {
      while (told_->done < 5) ::usleep(200);
      keeper.emplace(path_);
      refuse_second_writer();
      const pid_t reader = start([this] { return read_beside(); });
      must(end_of(reader) == 0, "a reader beside the writer saw what never was");
      ::kill(writer, SIGSTOP);
      refuse_second_writer();
      check_snapshot();  // beside a writer that stands still, perhaps within a commit
      ::kill(writer, SIGCONT);
      kill_readers();
    } catch (...) {
      ::kill(writer, SIGKILL);
      end_of(writer);
      throw;
    }
    ::usleep(static_cast<useconds_t>(next_bits(random_) % 5000));
    ::kill(writer, SIGKILL);
    must(end_of(writer) == 128 + SIGKILL, "the writer ended by itself");
    take_over();
  }

 private:
  int write() {
    Store store = must(Store::open(path_, options_of(false)), "the writer");
    Index index = must(store.index(kName, Script::options()), "the writer");
    for (std::uint64_t n = 0;; ++n) {
      told_->begun = n + 1;
      must(script_.apply(n, index), "the writer");
      told_->done = n + 1;
    }
  }

  void refuse_second_writer() {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    const Result<Store> second = Store::open(path_, options_of(false));
    const auto taken = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
    must(second.status().code() == StatusCode::kBusy,
         "a second writer is told: " + second.status().to_string());
    campaign_.add("second writers refused");
    campaign_.add("microseconds until they were", static_cast<std::uint64_t>(taken.count()));
  }

  // -- Readers

  int read_beside() {
    for (int i = 0; i < 8; ++i) check_snapshot();
    return 0;
  }

  std::vector<std::vector<float>> rows_of(const Index& index) const {
    std::vector<std::vector<float>> rows(Script::kLabels);
    for (const Label label : labels_) {
      const Result<std::vector<float>> row = index.get(label);
      if (row.ok()) {
        rows[label] = *row;
      } else {
        must(row.status().code() == StatusCode::kNotFound, row.status().to_string());
      }
    }
    return rows;
  }

  /// That `rows` are as after one of the writes that were acknowledged or at work meanwhile.
  void must_be_a_moment(const std::vector<std::vector<float>>& rows, std::uint64_t least,
                        std::uint64_t most, const char* how) {
    while (imagined_ < least) script_.imagine(imagined_++, generations_);
    Script::Generations then = generations_;
    for (std::uint64_t n = least;; ++n) {
      if (Script::same(then, rows)) return;
      must(n < most,
           fmt::format("{}: as it was after none of the writes {} to {}", how, least, most));
      script_.imagine(n, then);
    }
  }

  void check_snapshot() {
    const std::uint64_t before = told_->done;
    Store store = must(Store::open(path_, options_of(true)), "a reader");
    const std::uint64_t opened = told_->done;
    const Index index = must(store.open_index(kName), "a reader");
    const auto rows = rows_of(index);
    must_be_a_moment(rows, before, told_->begun, "opened to read");
    // What the store itself reads is as new as the call, and of one moment.
    const auto stored = must(store.stored_vectors(kName, labels_), "stored_vectors");
    must_be_a_moment(stored, opened, told_->begun, "stored_vectors");
    const ValidateReport report = must(index.validate(), "validate beside a writer");
    must(report.sound(), "not sound: " + (report.messages.empty() ? "" : report.messages[0]));
    must(rows_of(index) == rows, "what was opened to read has changed");
    for (const Label label : labels_) {
      if (rows[label].empty()) continue;
      const SearchResult found = must(index.search(rows[label], {.k = 1}), "search");
      must(found.size() == 1 && found[0].distance < 1e-4F, "a vector does not find itself");
    }
    must(store.close(), "closing a reader");
    ++told_->snapshots;
  }

  /// Readers that are killed while they hold a snapshot.
  void kill_readers() {
    for (int i = 0; i < kKilledReaders; ++i) {
      const pid_t reader = start([this] {
        const Store store = must(Store::open(path_, options_of(true)), "a reader");
        for (;;) {
          (void)store.for_each_journal_entry(kName, [](const std::string&) {
            ::raise(SIGKILL);
            return true;
          });
          if (!store.stored_vectors(kName, labels_of_none()).ok()) return 1;
        }
      });
      must(end_of(reader) == 128 + SIGKILL, "a reader ended by itself");
      campaign_.add("readers killed");
    }
  }
  static std::vector<Label> labels_of_none() { return {}; }

  // -- After the writer

  void take_over() {
    std::atomic<std::uint64_t> stale{0};
    const std::uint64_t done = told_->done;
    Store store =
        must(Store::open(path_, options_of(false, &stale)), "after the writer was killed");
    Index index = must(store.open_index(kName), "after the writer was killed");
    must_be_a_moment(rows_of(index), done, told_->begun, "after the writer was killed");
    ValidateOptions deep;
    deep.deep = true;
    must(must(index.validate(deep), "validate").sound(), "not sound after the writer was killed");
    campaign_.add("writers killed");
    campaign_.add("snapshots checked", told_->snapshots);
    campaign_.add("acknowledged writes", done);
    campaign_.add("stale readers cleared", stale);
    // The writer's own is left; the readers' were cleared by it or by those who opened after them.
    must(stale >= 1, "slots of killed processes are not cleared");
    must(slots_in_use(path_) <= 8, "slots of killed processes are in use");
    must(store.close(), "closing after the writer was killed");
  }

  Campaign& campaign_;
  const Script script_;
  std::uint64_t random_;
  const std::string path_;
  Told* const told_;
  std::vector<Label> labels_ = std::vector<Label>(Script::kLabels);
  Script::Generations generations_;  ///< after the writes below imagined_
  std::uint64_t imagined_ = 0;
};

int run(int argc, const char* const* argv) {
  Campaign campaign("processes", "A store and several processes", 20);
  std::uint64_t openings = 10'000;
  campaign.arguments()
      .add_option("--openings", openings, "openings and closings after the last round")
      ->capture_default_str();
  if (!campaign.parse(argc, argv)) return campaign.exit_code();
  try {
    while (campaign.more()) Round(campaign, campaign.seed()).run();
    open_and_close(campaign, openings);
  } catch (const Broken& broken) {
    campaign.finding(broken.what());
  }
  return campaign.finish();
}

}  // namespace
}  // namespace vicinal::testing

int main(int argc, char** argv) { return vicinal::testing::run(argc, argv); }
