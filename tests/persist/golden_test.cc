// Golden files: a store of every released format opens with its exact contents, one of an earlier
// format after it was converted, and today's encoders give the bytes they always gave. To make the
// files of a new format: run this test with VICINAL_WRITE_GOLDEN=1 and commit them. Files of a
// released format are never made anew.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "persist/codec.h"
#include "persist/convert.h"
#include "tests/persist/loaded.h"
#include "tests/persist/memory_index.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

const std::string kEarlier = VICINAL_GOLDEN "/v1";
const std::string kPresent = VICINAL_GOLDEN "/v2";

bool writing() { return std::getenv("VICINAL_WRITE_GOLDEN") != nullptr; }

constexpr std::uint32_t kGoldenDimension = 3;

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

/// That the store in `folder` holds what fill() makes, in a fresh one.
void expect_filled(const std::string& path, const StoreOptions& options) {
  TemporaryFolder folder;
  auto made = open_store(folder.file("made"), fast());
  auto made_index = create(*made, kGoldenDimension, "golden");
  MemoryIndex model(made_index.get(), 1);
  fill(&model);
  auto store = open_store(path, options);
  ASSERT_NE(store, nullptr);
  EXPECT_EQ(*store->index_names(), std::vector<std::string>{"golden"});
  auto index = reopen(*store, "golden");
  EXPECT_EQ(index->options(), options_of(kGoldenDimension));
  EXPECT_EQ(index->stats().journal_entries, made_index->stats().journal_entries);
  EXPECT_EQ(index->stats().journal_bytes, made_index->stats().journal_bytes);
  Loaded loaded(kGoldenDimension);
  const auto report = index->load(loaded, {});
  ASSERT_TRUE(report.ok()) << report.status().to_string();
  EXPECT_EQ(report->damaged_links, 0u);
  EXPECT_EQ(loaded.table, model.table);
  EXPECT_EQ(loaded.entry_point, (graph::EntryPoint{graph::NodeId{0}, model.table.at(0).level}));
  EXPECT_GT(loaded.all_links.size(), 15u);
  std::vector<std::string> messages;
  EXPECT_EQ(*index->verify(&messages), 0u) << messages[0];
}

std::string copy_of(const std::string& golden, const TemporaryFolder& folder) {
  std::filesystem::create_directory(folder.file("s"));
  std::filesystem::copy(golden + "/data.mdb", folder.file("s/data.mdb"));
  return folder.file("s");
}

TEST(Golden, V2Opens) {
  TemporaryFolder folder;
  if (writing()) {
    auto made = open_store(folder.file("made"), fast());
    auto index = create(*made, kGoldenDimension, "golden");
    MemoryIndex model(index.get(), 1);
    fill(&model);
    std::filesystem::create_directories(kPresent);
    std::filesystem::remove(kPresent + "/data.mdb");
    ASSERT_TRUE(made->backup(folder.file("copy")).ok());
    std::filesystem::copy(folder.file("copy/data.mdb"), kPresent + "/data.mdb");
  }
  expect_filled(copy_of(kPresent, folder), fast());
}

TEST(Golden, V1IsConvertedAndOpens) {
  TemporaryFolder folder;
  const std::string path = copy_of(kEarlier, folder);
  StoreOptions reading;
  reading.read_only = true;
  for (const StoreOptions& options : {fast(), reading}) {
    const Status refused = StoreFile::open(path, options).status();
    EXPECT_EQ(refused.code(), StatusCode::kFormatVersion);
    EXPECT_NE(refused.message().find("vicinal convert"), std::string::npos) << refused.message();
  }
  const auto converted = convert(path);
  ASSERT_TRUE(converted.ok()) << converted.status().to_string();
  EXPECT_TRUE(*converted);
  expect_filled(path, reading);
  expect_filled(path, fast());
  EXPECT_FALSE(*convert(path)) << "it is of the present format";
}

/// That the records are those of `file`, byte for byte.
void expect_bytes(const std::string& file, const std::vector<RecordBuffer>& records) {
  std::string bytes;
  for (const RecordBuffer& record : records) {
    bytes.append(reinterpret_cast<const char*>(record.data()), record.size());
  }
  if (writing()) std::ofstream(file, std::ios::binary) << bytes;
  std::ifstream in(file, std::ios::binary);
  const std::string golden((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  ASSERT_EQ(bytes.size(), golden.size());
  EXPECT_TRUE(bytes == golden);
}

TEST(Golden, EncodersMatchByteForByte) {
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
  op.row = std::as_bytes(std::span(row));
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
  add(RecordKind::kTail, encode(TailRecord{5, 12345}));
  expect_bytes(kPresent + "/records.bin", records);
}

}  // namespace
}  // namespace vicinal::persist::test
