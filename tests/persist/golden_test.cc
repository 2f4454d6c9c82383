// Golden files: a store of every released format opens with its exact contents, and today's
// encoders give the bytes they always gave. To make the files of a new format: run this test with
// VICINAL_WRITE_GOLDEN=1 and commit them. Files of a released format are never made anew.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "persist/codec.h"
#include "tests/persist/loaded.h"
#include "tests/persist/memory_index.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

const std::string kFolder = VICINAL_GOLDEN "/v1";

bool writing() { return std::getenv("VICINAL_WRITE_GOLDEN") != nullptr; }

constexpr std::uint32_t kDimension = 3;

/// What the golden store holds: checkpointed nodes, a tombstone, links, a journal of every kind.
void fill(MemoryIndex* model) {
  model->batch(0, 20);
  model->erase(3);
  model->erase(4);
  ASSERT_TRUE(model->checkpoint().ok());
  model->upsert(100);
  model->erase(5);
  model->resurrect();
  model->free_tombstones(1);
  model->batch(200, 3);
  model->erase_batch(2);
}

TEST(Golden, V1Opens) {
  TempFolder folder;
  auto made = open_store(folder / "made", fast());
  auto made_index = create(*made, kDimension, "golden");
  MemoryIndex model(made_index.get(), 1);
  fill(&model);
  if (writing()) {
    std::filesystem::create_directories(kFolder);
    std::filesystem::remove(kFolder + "/data.mdb");
    ASSERT_TRUE(made->backup(folder / "copy").ok());
    std::filesystem::copy(folder / "copy/data.mdb", kFolder + "/data.mdb");
  }
  std::filesystem::create_directory(folder / "s");
  std::filesystem::copy(kFolder + "/data.mdb", folder / "s/data.mdb");
  auto store = open_store(folder / "s", fast());
  EXPECT_EQ(*store->index_names(), std::vector<std::string>{"golden"});
  auto index = reopen(*store, "golden");
  EXPECT_EQ(index->options(), options_of(kDimension));
  Loaded loaded(kDimension);
  const auto report = index->load(loaded, {});
  ASSERT_TRUE(report.ok()) << report.status().to_string();
  EXPECT_EQ(report->damaged_links, 0u);
  EXPECT_EQ(loaded.table, model.table);
  EXPECT_EQ(loaded.entry_point, (graph::EntryPoint{graph::NodeId{0}, model.table.at(0).level}));
  EXPECT_GT(loaded.all_links.size(), 15u);
  std::vector<std::string> messages;
  EXPECT_EQ(*index->verify(&messages), 0u) << messages[0];
}

TEST(Golden, V1EncodersMatchByteForByte) {
  std::vector<RecordBuffer> records;
  const auto add = [&](RecordKind kind, RecordBuffer record) {
    const Key64 key(0x0102030405060708);
    seal({kind, 7, key.bytes()}, &record);
    records.push_back(std::move(record));
  };
  add(RecordKind::kStore, encode(StoreRecord{1, 5}));
  add(RecordKind::kCatalogEntry, encode(CatalogEntry{3}));
  OptionsRecord options;
  options.options = {384, Metric::kSquaredL2, 16, 200, 64, Quantization::kInt8, 42};
  options.rows_per_chunk = 128;
  add(RecordKind::kOptions, encode(options));
  add(RecordKind::kState, encode(StateRecord{1000, 77, 5, {graph::NodeId{9}, 4}}));
  add(RecordKind::kNodes,
      encode(NodeBlock{
          {~0ull, 1, graph::NodeState::kLive}, {}, {2, 0, graph::NodeState::kTombstone}}));
  LinkGroup group(kNodesPerLinkGroup);
  group[2] = {{graph::NodeId{1}, 1, {graph::NodeId{4}, graph::NodeId{1}}}, {graph::kNoNode, 0, {}}};
  add(RecordKind::kLinks, encode(group));
  const std::vector<float> row = {1.0f, -0.0f, 1e-40f};
  Operation op;
  op.label = 11;
  op.node = graph::NodeId{12};
  op.replaced = graph::NodeId{13};
  op.level = 2;
  op.row = row;
  add(RecordKind::kJournal, encode(op));
  const std::vector<graph::NodeId> nodes = {graph::NodeId{1}, graph::NodeId{2}};
  const std::vector<Label> labels = {21, 22};
  const std::vector<graph::Level> levels = {0, 1};
  for (const OperationKind kind : {OperationKind::kErase, OperationKind::kResurrect,
                                   OperationKind::kFree, OperationKind::kEraseBatch}) {
    op.kind = kind;
    op.nodes = nodes;
    op.labels = labels;
    add(RecordKind::kJournal, encode(op));
  }
  add(RecordKind::kJournal, encode(BatchView{nodes, labels, levels, nodes, nodes, labels}));

  std::string bytes;
  for (const RecordBuffer& record : records) {
    bytes.append(reinterpret_cast<const char*>(record.data()), record.size());
  }
  const std::string file = kFolder + "/records.bin";
  if (writing()) std::ofstream(file, std::ios::binary) << bytes;
  std::ifstream in(file, std::ios::binary);
  const std::string golden((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  ASSERT_EQ(bytes.size(), golden.size());
  EXPECT_TRUE(bytes == golden);
}

}  // namespace
}  // namespace vicinal::persist::test
