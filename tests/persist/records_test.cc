// Round trips, and seeded random histories against MemoryIndex: whatever happened, load() gives
// exactly what the model holds.
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "persist/format.h"
#include "tests/persist/loaded.h"
#include "tests/persist/memory_index.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

void expect_equal(const MemoryIndex& model, const Loaded& loaded) {
  ASSERT_EQ(model.table.size(), loaded.table.size());
  for (const auto& [id, node] : model.table) {
    ASSERT_TRUE(loaded.table.contains(id)) << "node " << id;
    ASSERT_TRUE(loaded.table.at(id) == node) << "node " << id << " label " << node.label;
  }
}

TEST(Records, EmptyIndexLoads) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  auto index = create(*store, 3);
  Loaded loaded(3);
  const auto report = index->load(loaded, {});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->nodes, 0u);
  EXPECT_EQ(loaded.node_limit, 0u);
}

TEST(Records, OneOfEachBeforeAndAfterCheckpoint) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  auto index = create(*store, 16);
  MemoryIndex model(index.get(), 1);
  model.upsert(1);
  model.upsert(2);
  model.upsert(1);
  model.batch(10, 300);
  model.erase(2);
  model.resurrect();
  model.erase_batch(5);
  for (int round = 0; round < 2; ++round) {
    Loaded loaded(16);
    ASSERT_TRUE(reload(*store, index, loaded).ok());
    model.attach(index.get());
    expect_equal(model, loaded);
    EXPECT_EQ(loaded.all_links.size(), round == 0 ? 0u : model.table.size());
    for (const auto& [id, links] : loaded.all_links) {
      EXPECT_EQ(links, model.links(graph::NodeId{id}));
    }
    const auto report = model.checkpoint();
    ASSERT_TRUE(report.ok()) << report.status().to_string();
    EXPECT_EQ(report->rows, round == 0 ? 3u : 0u);
    EXPECT_EQ(index->stats().journal_entries, 0u);
    std::vector<std::string> messages;
    EXPECT_EQ(*index->verify(&messages), 0u) << (messages.empty() ? "" : messages[0]);
  }
}

// R1: the slot of a freed node is reused while entries of the old node are still in the journal.
TEST(Records, R1ReusedSlotKeepsItsNewRow) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  auto index = create(*store, 8);
  MemoryIndex model(index.get(), 3);
  for (Label label = 0; label < 20; ++label) model.upsert(label);
  for (Label label = 0; label < 20; label += 2) model.erase(label);
  model.free_tombstones(100);
  model.batch(100, 10);  // rows of the old nodes are in the journal, these are in the chunk already
  ASSERT_TRUE(model.checkpoint().ok());
  Loaded loaded(8);
  ASSERT_TRUE(reload(*store, index, loaded).ok());
  expect_equal(model, loaded);
}

// R1: the entry that frees a node is beyond the cut when the node's upsert is moved.
TEST(Records, R1DoomedNodesGetNoRecord) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  auto index = create(*store, 8);
  MemoryIndex model(index.get(), 3);
  model.upsert(1);
  model.upsert(2);
  model.erase(1);
  std::vector<graph::NodeId> nodes = {graph::NodeId{0}};
  Operation release;
  release.kind = OperationKind::kFree;
  release.nodes = nodes;
  const auto sequence = index->append(release);  // not finished
  ASSERT_TRUE(sequence.ok());
  EXPECT_EQ(model.checkpoint()->rows, 1u);
  std::vector<std::string> messages;
  EXPECT_EQ(*index->verify(&messages), 0u) << messages[0];
  index->finish(*sequence);
  ASSERT_TRUE(model.checkpoint().ok());
  EXPECT_EQ(*index->verify(&messages), 0u) << messages[0];
}

TEST(Records, UnfinishedOperationsStayInTheJournal) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  auto index = create(*store, 4);
  MemoryIndex source(index.get(), 1);
  const std::vector<float> row = make_row(1, 1, 4);
  Operation op;
  op.row = std::as_bytes(std::span(row));
  std::vector<Sequence> sequences;
  for (std::uint32_t i = 0; i < 4; ++i) {
    op.label = i;
    op.node = graph::NodeId{i};
    sequences.push_back(*index->append(op));
  }
  index->finish(sequences[0]);
  index->finish(sequences[3]);
  EXPECT_EQ(source.checkpoint()->journal_entries, 1u);
  EXPECT_EQ(index->stats().journal_entries, 3u);
  index->finish(sequences[1]);
  index->finish(sequences[2]);
  EXPECT_EQ(source.checkpoint()->journal_entries, 3u);
}

TEST(Records, JournalAsJson) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  auto index = create(*store, 2);
  MemoryIndex model(index.get(), 1);
  model.upsert(7);
  model.erase(7);
  model.batch(8, 2);
  std::vector<std::string> lines;
  ASSERT_TRUE(index
                  ->for_each_journal_entry([&](const std::string& line) {
                    lines.push_back(line);
                    return lines.size() < 2;
                  })
                  .ok());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].rfind(R"({"seq":1,"op":"upsert","label":7,"node":0,"level":)", 0), 0u);
  EXPECT_EQ(lines[1], R"({"seq":2,"op":"erase","label":7,"node":0})");
}

TEST(Records, RowReaderSeesChunks) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  auto index = create(*store, 32);
  MemoryIndex model(index.get(), 1);
  model.batch(0, 3000);
  model.upsert(5000);
  auto reader = index->row_reader();
  ASSERT_TRUE(reader.ok());
  for (const auto& [id, node] : model.table) {
    const std::byte* row = (*reader)->row(graph::NodeId{id});
    if (node.label == 5000) {
      EXPECT_EQ(row, nullptr);
      continue;
    }
    ASSERT_NE(row, nullptr) << id;
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(row) % 64, 0u);
    EXPECT_EQ(std::memcmp(row, node.row.data(), 32 * sizeof(float)), 0);
  }
}

TEST(Records, IndexesDoNotMix) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  auto a = create(*store, 4, "a");
  auto b = create(*store, 6, "b");
  MemoryIndex model_a(a.get(), 1);
  MemoryIndex model_b(b.get(), 2);
  model_a.batch(0, 50);
  model_b.batch(1000, 70);
  ASSERT_TRUE(model_a.checkpoint().ok());
  a.reset();
  ASSERT_TRUE(store->drop_index("a").ok());
  auto c = create(*store, 4, "a");
  Loaded loaded_c(4);
  ASSERT_TRUE(c->load(loaded_c, {}).ok());
  EXPECT_TRUE(loaded_c.table.empty());
  b.reset();
  b = reopen(*store, "b");
  Loaded loaded_b(6);
  ASSERT_TRUE(b->load(loaded_b, {}).ok());
  expect_equal(model_b, loaded_b);
}

class RandomHistory : public ::testing::TestWithParam<int> {};

TEST_P(RandomHistory, LoadsAsTheModel) {
  const auto seed = static_cast<std::uint64_t>(GetParam());
  std::mt19937_64 random(seed);
  // 1: chunks of 65,536 rows; 40,000: one row a chunk; the others cross chunks now and then.
  constexpr std::array<std::uint32_t, 5> kDimensions = {1, 5, 300, 2048, 40000};
  const std::uint32_t dimension = kDimensions[seed % kDimensions.size()];
  TemporaryFolder folder;
  StoreOptions options = fast();
  options.map_bytes = seed % 2 == 0 ? 1 << 20 : 0;  // grows often
  auto store = open_store(folder.file("s"), options);
  auto index = create(*store, dimension);
  MemoryIndex model(index.get(), seed);
  const Label labels = dimension > 1000 ? 30 : 300;
  for (int step = 0; step < (dimension > 1000 ? 120 : 600); ++step) {
    const std::uint64_t dice = random() % 100;
    if (dice < 40) {
      model.upsert(random() % labels);
    } else if (dice < 60) {
      model.erase(random() % labels);
    } else if (dice < 70) {
      model.batch(random() % labels, 1 + random() % (labels / 4));
    } else if (dice < 78) {
      model.free_tombstones(1 + random() % 20);
    } else if (dice < 84) {
      model.resurrect();
    } else if (dice < 87) {
      model.erase_batch(random() % 10);
    } else if (dice < 94) {
      const auto report = model.checkpoint();
      ASSERT_TRUE(report.ok()) << report.status().to_string();
    } else {
      index.reset();
      if (random() % 2 == 0) {
        store.reset();
        store = open_store(folder.file("s"), options);
      }
      index = reopen(*store);
      model.attach(index.get());
      Loaded loaded(dimension);
      const auto report = index->load(loaded, {});
      ASSERT_TRUE(report.ok()) << report.status().to_string();
      expect_equal(model, loaded);
      std::vector<std::string> messages;
      ASSERT_EQ(*index->verify(&messages), 0u) << messages[0];
      if (::testing::Test::HasFailure()) FAIL() << "seed " << seed << " step " << step;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistory, ::testing::Range(0, 15));

}  // namespace
}  // namespace vicinal::persist::test
