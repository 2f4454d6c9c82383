// What a store tells of an index without loading it: the same as the index does, in every state that
// journal and node blocks can be in together.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <random>
#include <thread>

#include "tests/child.h"
#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

class StoredTest : public ::testing::Test {
 protected:
  static StoreOptions options() {
    StoreOptions options = quick_store();
    options.background = false;
    return options;
  }

  /// Every label below `labels`, and the numbers, from the file and from `index`.
  static void expect_agreement(const Store& store, const Index& index, Label labels) {
    const std::vector<Label> asked = labels_up_to(labels);
    const Result<std::vector<std::vector<float>>> stored = store.stored_vectors("text", asked);
    ASSERT_TRUE(stored.ok()) << stored.status().to_string();
    ASSERT_EQ(stored->size(), asked.size());
    for (const Label label : asked) {
      const Result<std::vector<float>> live = index.get(label);
      EXPECT_EQ((*stored)[label], live.ok() ? *live : std::vector<float>()) << label;
    }
    const Result<StoredStats> stats = store.stored_stats("text");
    ASSERT_TRUE(stats.ok()) << stats.status().to_string();
    const Stats now = index.stats();
    EXPECT_EQ(stats->live, now.live);
    EXPECT_EQ(stats->tombstones, now.tombstones);
    EXPECT_EQ(stats->nodes_by_level, now.nodes_by_level);
    EXPECT_EQ(stats->journal_entries, now.journal_entries);
    EXPECT_EQ(stats->bytes_disk, now.bytes_disk);
    EXPECT_EQ(stats->options.dimension, now.options.dimension);
    EXPECT_EQ(stats->options.M, now.options.M);
  }

  TemporaryFolder folder_;
};

TEST_F(StoredTest, AgreesWithTheIndexWhateverHappensToIt) {
  constexpr Label kLabels = 700;
  Store store = *Store::open(folder_.file("s"), options());
  Index index = *store.index("text", small_options());
  expect_agreement(store, index, kLabels);
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE(round);
    const Label first = random() % kLabels;
    const std::vector<Label> labels = labels_up_to(1 + random() % (kLabels - first), first);
    switch (random() % 6) {
      case 0:
        ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels, random() % 3)).ok());
        break;
      case 1:
        ASSERT_TRUE(index.erase_batch(labels).ok());
        break;
      case 2:
        for (Label label = first; label < first + 20; ++label) {
          ASSERT_TRUE(index.upsert(label % kLabels, vector_of(label % kLabels, round % 2)).ok());
          ASSERT_TRUE(index.erase((label * 7) % kLabels).ok());
        }
        break;
      case 3:
        ASSERT_TRUE(index.repair().ok());
        break;
      case 4:
        ASSERT_OK(index.checkpoint());
        EXPECT_EQ(store.stored_stats("text")->rows_to_link, 0u);
        break;
      default:
        ASSERT_OK(store.close());
        store = *Store::open(folder_.file("s"), options());
        index = *store.index("text", small_options());
    }
    expect_agreement(store, index, kLabels);
  }
}

// Of the last slots no record tells any more.
TEST_F(StoredTest, CountsFreeSlotsAtTheEnd) {
  Store store = *Store::open(folder_.file("s"), options());
  Index index = *store.index("text", small_options());
  const std::vector<Label> labels = labels_up_to(1500);
  ASSERT_OK(index.upsert_batch(labels, matrix_of(labels)).status());
  ASSERT_OK(index.erase_batch(labels_up_to(1100, 400)).status());
  ASSERT_OK(index.repair().status());
  ASSERT_OK(index.checkpoint());
  ASSERT_EQ(index.stats().free_slots, 1100u);
  EXPECT_EQ(store.stored_stats("text")->free_slots, 1100u);
}

TEST_F(StoredTest, CountsTheRowsThatOpeningLinks) {
  Store store = *Store::open(folder_.file("s"), options());
  Index index = *store.index("text", small_options());
  const std::vector<Label> labels = labels_up_to(600);
  ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels)).ok());
  ASSERT_TRUE(index.upsert(600, vector_of(600)).ok());
  ASSERT_TRUE(index.erase(5).ok());
  EXPECT_EQ(store.stored_stats("text")->rows_to_link, 601u);
  ASSERT_OK(index.checkpoint());
  EXPECT_EQ(store.stored_stats("text")->rows_to_link, 0u);
  EXPECT_EQ(store.stored_stats("text")->checkpoints, 1u);
}

TEST_F(StoredTest, NeedsNoOpenIndexAndNoWriting) {
  {
    Store store = *Store::open(folder_.file("s"), options());
    Index index = *store.index("text", small_options());
    ASSERT_TRUE(index.upsert(3, vector_of(3)).ok());
    ASSERT_OK(store.close());
    EXPECT_CODE(store.stored_stats("text").status(), kClosed, "");
    EXPECT_CODE(store.stored_vectors("text", {}).status(), kClosed, "");
  }
  StoreOptions reading = options();
  reading.read_only = true;
  Store store = *Store::open(folder_.file("s"), reading);
  EXPECT_EQ(store.stored_stats("text")->live, 1u);
  const std::vector<Label> asked = {9, 3, 9, 3};
  const std::vector<std::vector<float>> found = *store.stored_vectors("text", asked);
  EXPECT_TRUE(found[0].empty());
  EXPECT_EQ(found[1], vector_of(3));
  EXPECT_TRUE(found[2].empty());
  EXPECT_EQ(found[3], vector_of(3));
  EXPECT_CODE(store.stored_stats("other").status(), kNotFound, "other");
  EXPECT_CODE(store.stored_vectors("other", asked).status(), kNotFound, "other");
  EXPECT_CODE(store.stored_stats("a b").status(), kInvalidArgument, "a b");
}

// Another process drops the index and makes it anew: what is read of it is of one moment, and sound.
TEST_F(StoredTest, ADropInAnotherProcessIsNoDamage) {
  const std::string path = folder_.file("s");
  const std::vector<Label> labels = labels_up_to(50);
  const auto make = [&](Store& store, Label extra) {
    Result<Index> made = store.index("text", small_options());
    if (!made.ok()) ADD_FAILURE() << made.status().to_string();
    if (!made.ok()) return false;
    Index index = *made;
    return index.upsert_batch(labels, matrix_of(labels)).ok() &&
           index.upsert(1000 + extra, vector_of(extra)).ok() && store.checkpoint().ok();
  };
  {
    Store store = *Store::open(path, options());
    ASSERT_TRUE(make(store, 0));
  }
  std::array<int, 2> ready{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  const Child writer([&] {
    Store store = *Store::open(path, options());
    if (::write(ready[1], "y", 1) != 1) return;
    for (Label round = 0;; ++round) {
      const Status dropped = store.drop_index("text");
      if (!dropped.ok()) ADD_FAILURE() << "the writer: " << dropped.to_string();
      if (!dropped.ok() || !make(store, round)) return;
      std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
  });
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  StoreOptions reading = options();
  reading.read_only = true;
  Store store = *Store::open(path, reading);
  std::size_t read = 0;
  const auto expect_no_damage = [&](const Status& status) {
    EXPECT_TRUE(status.ok() || status.code() == StatusCode::kNotFound) << status.to_string();
    read += status.ok() ? 1 : 0;
  };
  const auto look = [&] {
    expect_no_damage(store.stored_stats("text").status());
    expect_no_damage(store.stored_vectors("text", labels).status());
    expect_no_damage(store.for_each_journal_entry("text", [](const auto&) { return true; }));
    std::vector<std::string> lines;
    const Result<std::uint64_t> failures = store.verify_records(&lines);
    expect_no_damage(failures.status());
    EXPECT_TRUE(lines.empty()) << lines[0];
  };
  const auto for_a_while = [&](const std::function<void()>& work) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(800);
    while (std::chrono::steady_clock::now() < end && !HasFailure()) work();
  };
  for_a_while([&] {
    look();
    expect_no_damage(store.open_index("text").status());
    ASSERT_OK(store.close());
    store = *Store::open(path, reading);
  });
  // One that is open stays what it was, whatever became of its records.
  Result<Index> open = store.open_index("text");
  while (!open.ok() && !HasFailure()) {
    ASSERT_TRUE(writer.runs());
    expect_no_damage(open.status());
    open = store.open_index("text");
  }
  const std::uint64_t size = open->size();
  for_a_while([&] {
    look();
    const Result<ValidateReport> report = open->validate({.deep = true});
    expect_no_damage(report.status());
    EXPECT_TRUE(!report.ok() || report->sound());
    EXPECT_EQ(open->size(), size);
  });
  EXPECT_GT(read, 0u);
  EXPECT_TRUE(writer.runs());
}

}  // namespace
}  // namespace vicinal::testing
