// Small indexes: flat until they are worth a graph, in memory and in a store.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

/// Whether `label` is the nearest to its vector.
bool finds_itself(const Index& index, Label label) {
  const auto found = index.search(vector_of(label), {.k = 1});
  return found && found->hits.size() == 1 && (*found)[0].label == label;
}

void expect_all_found(const Index& index, Label end, Label first = 0) {
  for (Label label = first; label < end; ++label) EXPECT_TRUE(finds_itself(index, label)) << label;
}

TEST(Flat, GrowsFromOneVectorToAGraphBesideReaders) {
  constexpr Label kInserted = 1200;
  Index index = *Index::in_memory(flat_options());
  std::atomic<Label> stored{0};
  std::atomic<std::uint64_t> lost{0};
  std::vector<std::jthread> readers;
  for (int t = 0; t < 2; ++t) {
    readers.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<std::uint64_t>(t));
      while (stored.load() < kInserted) {
        if (stored.load() == 0) continue;
        const Label label = random() % stored.load();
        if (!finds_itself(index, label)) ++lost;
        if (const auto vector = index.get(label); !vector || *vector != vector_of(label)) ++lost;
      }
    });
  }
  bool was_flat = false;
  for (Label label = 0; label < kInserted; ++label) {
    ASSERT_TRUE(index.upsert(label, vector_of(label)).ok());
    stored.store(label + 1);
    if (label == 498) was_flat = index.stats().flat;
  }
  readers.clear();
  EXPECT_TRUE(was_flat);
  EXPECT_FALSE(index.stats().flat);
  EXPECT_EQ(lost.load(), 0u);
  expect_sound(index);
  expect_all_found(index, kInserted);
  // The backlog is worked off: every node has its links.
  std::size_t linked = 0;
  ASSERT_OK(index.for_each_node([&](const Index::NodeView& node) {
    linked += node.links.empty() ? 0 : 1;
    return true;
  }));
  EXPECT_EQ(linked, kInserted);
  RecallOptions all;
  all.samples = kInserted;
  EXPECT_GT(*index.recall(all), 0.97);
}

TEST(Flat, ManyLabelsAtOnceAndABatchAcrossTheBound) {
  Index index = *Index::in_memory(flat_options());
  const std::vector<Label> few = labels_up_to(300);
  ASSERT_TRUE(index.upsert_batch(few, matrix_of(few)).ok());
  EXPECT_TRUE(index.stats().flat);
  EXPECT_EQ(index.search(vector_of(3), {})->counters.path, SearchPath::kExactScan);
  std::set<Label> visited;
  std::size_t visits = 0;
  ASSERT_OK(index.for_each([&](Label label, std::span<const float>) {
    ++visits;
    visited.insert(label);
    if (visits == 10) {  // the labels change their shards under the walk
      const std::vector<Label> more = labels_up_to(600, 300);
      EXPECT_TRUE(index.upsert_batch(more, matrix_of(more)).ok());
    }
    return true;
  }));
  EXPECT_EQ(visits, visited.size()) << "a label was visited twice";
  for (const Label label : few) EXPECT_TRUE(visited.contains(label));
  EXPECT_FALSE(index.stats().flat);
  expect_sound(index);
  expect_all_found(index, 900);
  EXPECT_GT(index.stats().links_by_level[0], 900u) << "the batch links what was there";
}

class FlatStore : public ::testing::TestWithParam<bool> {
 protected:
  IndexOptions options() const {
    IndexOptions options = flat_options();
    options.vectors_in_memory = GetParam();
    return options;
  }
  Store open() const { return *Store::open(folder_.file("s"), quick_store()); }
  TemporaryFolder folder_;
};

TEST_P(FlatStore, IsFlatAgainWhenItIsOpenedWithAndWithoutACheckpoint) {
  for (const bool checkpointed : {false, true}) {
    {
      Store store = open();
      Index index = *store.index("t", options());
      for (Label label = 0; label < 200; ++label) {
        ASSERT_TRUE(index.upsert(label, vector_of(label)).ok());
      }
      for (Label label = 150; label < 200; ++label) ASSERT_TRUE(index.erase(label).ok());
      ASSERT_OK(index.repair().status());
      ASSERT_TRUE(index.upsert(150, vector_of(150)).ok());
      EXPECT_EQ(store.stored_stats("t")->rows_to_link, 0u) << "nothing will be linked";
      if (checkpointed) {
        ASSERT_OK(index.checkpoint());
      }
    }
    Store store = open();
    Index index = *store.index("t", options());
    EXPECT_TRUE(index.stats().flat);
    EXPECT_EQ(index.size(), 151u);
    expect_all_found(index, 151);
    EXPECT_FALSE(index.contains(151));
    expect_sound(index, true);
  }
}

TEST_P(FlatStore, BecomesAGraphAndStaysOne) {
  {
    Store store = open();
    Index index = *store.index("t", options());
    for (Label label = 0; label < 700; ++label) {
      ASSERT_TRUE(index.upsert(label, vector_of(label)).ok());
      if (label == 400) ASSERT_OK(index.checkpoint());
    }
    EXPECT_FALSE(index.stats().flat);
  }
  {
    Store store = open();
    Index index = *store.index("t", options());
    EXPECT_FALSE(index.stats().flat);
    expect_all_found(index, 700);
    expect_sound(index, true);
    const std::vector<Label> gone = labels_up_to(690, 10);
    ASSERT_TRUE(index.erase_batch(gone).ok());
    ASSERT_OK(index.repair().status());
  }
  Store store = open();
  Index index = *store.index("t", options());
  EXPECT_FALSE(index.stats().flat) << "it has links";
  expect_all_found(index, 10);
  expect_sound(index, true);
}

TEST_P(FlatStore, AJournalOfMoreThanFitsMakesAGraph) {
  {
    Store store = open();
    Index index = *store.index("t", options());
    ASSERT_OK(index.checkpoint());
    for (Label label = 0; label < 650; ++label) {
      ASSERT_TRUE(index.upsert(label, vector_of(label)).ok());
    }
    ASSERT_OK(store.backup(folder_.file("copy")));  // as a crash would leave it
  }
  Store store = *Store::open(folder_.file("copy"), quick_store());
  Index index = *store.index("t", options());
  EXPECT_FALSE(index.stats().flat);
  expect_all_found(index, 650);
  expect_sound(index, true);
}

INSTANTIATE_TEST_SUITE_P(RowsInMemory, FlatStore, ::testing::Bool());

TEST(Flat, StatsCountFewBytesBesideTheRows) {
  for (const std::size_t count : {1u, 10u, 100u, 499u}) {
    Index index = filled(count, flat_options());
    const Stats stats = index.stats();
    EXPECT_GE(stats.bytes_vectors, count * kDimension * sizeof(float));
    EXPECT_EQ(stats.bytes_codes + stats.bytes_links + stats.bytes_scratch, 0u);
    EXPECT_LT(stats.bytes_nodes + stats.bytes_labels, 2048 + count * 120);
  }
}

}  // namespace
}  // namespace vicinal::testing
