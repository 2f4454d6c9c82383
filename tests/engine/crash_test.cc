// Killed at random: every acknowledged write is there afterwards with its exact vector.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "persist/failpoints.h"
#include "tests/child.h"
#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

constexpr std::size_t kCrashLabels = 400;

/// Per label: the generation begun and the one acknowledged; shared with the child.
struct Acknowledged {
  std::atomic<std::uint64_t> begun[kCrashLabels];
  std::atomic<std::uint64_t> done[kCrashLabels];
};

[[noreturn]] void write_until_killed(const std::string& path, Acknowledged& shared,
                                     std::uint64_t seed) {
  StoreOptions options = quick_store();
  options.checkpoint_bytes = 64 << 10;
  Store store = *Store::open(path, options);
  Index index = *store.index("text", small_options());
  std::mt19937_64 random(seed);
  while (true) {
    const std::size_t count = random() % 4 == 0 ? 40 : 1;
    const Label first = random() % (kCrashLabels - count);
    const std::vector<Label> labels = labels_up_to(count, first);
    std::vector<float> rows;
    for (const Label label : labels) {
      const std::uint64_t generation = ++shared.begun[label];
      const std::vector<float> row = vector_of(label, generation);
      rows.insert(rows.end(), row.begin(), row.end());
    }
    const bool ok =
        count == 1 ? index.upsert(first, rows).ok() : index.upsert_batch(labels, rows).ok();
    if (!ok) _exit(2);
    for (const Label label : labels) shared.done[label].store(shared.begun[label].load());
  }
}

TEST(Crash, AcknowledgedWritesSurviveKill) {
  TemporaryFolder folder;
  void* const memory = mmap(nullptr, sizeof(Acknowledged), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto& shared = *new (memory) Acknowledged();
  std::mt19937_64 random(5);
  for (std::uint64_t round = 0; round < 6; ++round) {
    const pid_t child = fork_child();
    ASSERT_GE(child, 0);
    if (child == 0) write_until_killed(folder.file("s"), shared, round);
    std::this_thread::sleep_for(std::chrono::milliseconds(100 + random() % 300));
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "child failed by itself: " << WEXITSTATUS(status);

    Store store = *Store::open(folder.file("s"), quick_store());
    Result<Index> opened = store.index("text", small_options());
    ASSERT_TRUE(opened.ok()) << opened.status().to_string();
    for (Label label = 0; label < kCrashLabels; ++label) {
      const std::uint64_t done = shared.done[label];
      const std::uint64_t begun = shared.begun[label];
      const Result<std::vector<float>> stored = opened->get(label);
      if (!stored) {
        EXPECT_EQ(done, 0u) << "round " << round << " label " << label << " is lost";
        continue;
      }
      EXPECT_TRUE(*stored == vector_of(label, done) || *stored == vector_of(label, begun))
          << "round " << round << " label " << label;
    }
    expect_sound(*opened, true);
    if (::testing::Test::HasFailure()) return;
    // What was begun and not acknowledged may be either: settle it.
    for (Label label = 0; label < kCrashLabels; ++label) {
      const std::uint64_t begun = shared.begun[label];
      if (begun == 0) continue;
      ASSERT_TRUE(opened->upsert(label, vector_of(label, begun)).ok());
      shared.done[label] = begun;
    }
  }
  munmap(memory, sizeof(Acknowledged));
}

StoreOptions without_background() {
  StoreOptions options = quick_store();
  options.background = false;
  return options;
}

/// An index of `count` vectors whose links a rebuild changes, and a checkpoint of it.
Index rebuildable(Store& store, std::size_t count) {
  Index index = *store.index("text", small_options());
  const std::vector<Label> most = labels_up_to(count - 500);
  EXPECT_TRUE(index.upsert_batch(most, matrix_of(most)).ok());
  for (Label label = count - 500; label < count; ++label) {
    EXPECT_TRUE(index.upsert(label, vector_of(label)).ok());
  }
  EXPECT_TRUE(index.checkpoint().ok());
  return index;
}

// A checkpoint asks for links while a rebuild changes them: what it wrote is of two moments.
TEST(Crash, LinksThatChangeDuringACheckpointAreMended) {
  TemporaryFolder folder;
  const StoreOptions options = without_background();
  Store store = *Store::open(folder.file("s"), options);
  Index index = rebuildable(store, 1500);
  for (Label label = 0; label < 20; ++label) {
    ASSERT_TRUE(index.upsert(label, vector_of(label, 1)).ok());
  }
  bool rebuilt = false;
  ASSERT_OK(index.checkpoint([&](const Progress&) {
    rebuilt = rebuilt || index.rebuild().ok();
    return true;
  }));
  ASSERT_TRUE(rebuilt);
  std::filesystem::copy(folder.file("s"), folder.file("crashed"));
  ASSERT_OK(index.checkpoint());
  EXPECT_EQ(index.stats().journal_entries, 0u);
  ASSERT_OK(store.close());
  store = *Store::open(folder.file("crashed"), options);
  index = *store.open_index("text");
  EXPECT_EQ(index.size(), 1500u);
  expect_sound(index, true);
}

// Links to nodes that a crash left without records are cut once, not at every opening.
TEST(Crash, CutLinksAreStoredCut) {
  TemporaryFolder folder;
  const StoreOptions options = without_background();
  Store store = *Store::open(folder.file("s"), options);
  Index index = rebuildable(store, 1500);
  for (Label label = 0; label < 100; ++label) ASSERT_EQ(*index.erase(label), EraseOutcome::kErased);
  ASSERT_OK(index.checkpoint());
  ASSERT_OK(index.rebuild());
  std::filesystem::copy(folder.file("s"), folder.file("crashed"));
  ASSERT_OK(store.close());
  for (int opening = 0; opening < 2; ++opening) {
    store = *Store::open(folder.file("crashed"), options);
    index = *store.open_index("text");
    EXPECT_EQ(index.stats().repaired_links, 0u) << opening;
    expect_sound(index, true);
    ASSERT_OK(store.close());
  }
}

// A crash between two steps of a checkpoint leaves links of before and after a rebuild.
TEST(Crash, E6LinksOfTwoMomentsAreMended) {
  constexpr std::size_t kMany = 12'000;  // several steps
  TemporaryFolder folder;
  const StoreOptions options = without_background();
  Store store = *Store::open(folder.file("s"), options);
  Index index = rebuildable(store, kMany);
  ASSERT_OK(index.rebuild());
  persist::failpoints::arm("checkpoint.between_links", persist::failpoints::Action::kFail);
  EXPECT_CODE(index.checkpoint(), kIoError, "checkpoint.between_links");
  std::filesystem::copy(folder.file("s"), folder.file("crashed"));
  ASSERT_OK(store.close());
  for (const char* const name : {"crashed", "s"}) {
    store = *Store::open(folder.file(name), options);
    index = *store.open_index("text");
    EXPECT_EQ(index.size(), kMany);
    expect_sound(index, true);
    EXPECT_EQ(index.stats().journal_entries, name == std::string("s") ? 0u : 1u);
    ASSERT_OK(store.close());
  }
}

// A checkpoint that has no room for links moves the journal first: a vector in the slot of one that is
// gone must not be met with its links.
TEST(Crash, WithoutRoomForLinksNobodyInheritsThem) {
  constexpr Label kMany = 6000;
  TemporaryFolder folder;
  StoreOptions options = without_background();
  options.durability = Durability::kNone;
  options.max_map_bytes = 2600 << 10;
  IndexOptions narrow{.dimension = 8, .metric = Metric::kSquaredL2, .M = 4};
  narrow.threads = 1;
  Store store = *Store::open(folder.file("s"), options);
  Index index = *store.index("text", narrow);
  const auto row = [](Label label) { return vector_of(label, 0, 8); };
  for (Label label = 0; label < kMany; ++label) ASSERT_OK(index.upsert(label, row(label)).status());
  ASSERT_OK(store.checkpoint());
  ASSERT_OK(index.erase_batch(labels_up_to(kMany / 2)).status());
  ASSERT_OK(index.repair().status());
  const std::vector<Label> fresh = labels_up_to(kMany / 2, 100'000);
  for (const Label label : fresh) ASSERT_OK(index.upsert(label, row(label)).status());
  const auto finding_themselves = [&](const Index& in) {
    return std::count_if(fresh.begin(), fresh.end(), [&](Label label) {
      const Result<SearchResult> found = in.search(row(label), {.k = 1});
      return found.ok() && !found->hits.empty() && found->hits[0].label == label;
    });
  };
  const auto before = finding_themselves(index);
  std::vector<std::string> crashed;
  bool without_journal = false;
  for (const auto& [place, times] : {std::pair("checkpoint.between_links", 1),
                                     {"checkpoint.between_links", 3},
                                     {"checkpoint.between_steps", 2},
                                     {"checkpoint.between_links", 9}}) {
    persist::failpoints::arm(place, persist::failpoints::Action::kFail, times);
    const Status status = index.checkpoint();
    persist::failpoints::disarm();
    if (status.ok()) break;
    without_journal = without_journal || index.stats().journal_entries == 1;  // the mark
    crashed.push_back("crashed" + std::to_string(crashed.size()));
    std::filesystem::copy(folder.file("s"), folder.file(crashed.back()));
  }
  EXPECT_GE(crashed.size(), 3u);
  EXPECT_TRUE(without_journal) << "there was room for the links";
  ASSERT_OK(store.close());
  crashed.push_back("s");
  for (const std::string& name : crashed) {
    store = *Store::open(folder.file(name), options);
    index = *store.open_index("text");
    EXPECT_GE(finding_themselves(index) * 100, before * 99) << name;
    expect_sound(index, true);
    ASSERT_OK(store.close());
  }
}

}  // namespace
}  // namespace vicinal::testing
