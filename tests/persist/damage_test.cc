// Damaged records of every kind, made through LMDB itself: never a crash, never wrong contents.
#include "persist/lmdb_env.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

constexpr std::uint32_t kDimension = 384;  // 128 rows to a chunk

class Damage : public testing::Test {
 protected:
  void SetUp() override {
    path_ = folder_ / "s";
    auto store = open_store(path_, fast());
    auto index = create(*store, kDimension);
    MemoryIndex model(index.get(), 1);
    model.batch(0, 400);
    ASSERT_TRUE(model.checkpoint().ok());
    model.upsert(1000);
    model.upsert(1001);
  }

  /// Flips a bit of the `nth` value of `database`.
  void flip(const std::string& database, int nth, std::size_t bit_from_end) {
    auto environment = Environment::open(path_, {});
    ASSERT_TRUE(environment.ok());
    const Status status = (*environment)->with_handles([&](Transaction& transaction) -> Status {
      auto handle = transaction.open_database(database, false);
      if (!handle.ok()) return handle.status();
      std::vector<std::byte> key;
      std::vector<std::byte> value;
      {
        auto cursor = Cursor::open(transaction, *handle);
        auto more = cursor->first();
        for (int i = 0; i < nth; ++i) more = cursor->next();
        EXPECT_TRUE(*more);
        key.assign(cursor->key().begin(), cursor->key().end());
        value.assign(cursor->value().begin(), cursor->value().end());
      }
      value[value.size() - 1 - bit_from_end / 8 % value.size()] ^=
          static_cast<std::byte>(1u << (bit_from_end % 8));
      return transaction.put(*handle, key, value);
    });
    ASSERT_TRUE(status.ok()) << status.to_string();
  }

  struct Outcome {
    Status opened;
    Result<LoadReport> report = Status::not_found("");
    std::size_t nodes = 0;
    std::size_t links = 0;
    std::uint64_t failures = 0;
    std::string message;
  };
  Outcome load(bool salvage, bool parallel = false) {
    Outcome outcome;
    auto store = open_store(path_, fast());
    auto index = store->open_index("text");
    outcome.opened = index.status();
    if (!index.ok()) return outcome;
    Loaded loaded(kDimension);
    LoadOptions options;
    options.salvage = salvage;
    if (parallel) options.parallel = on_three_threads;
    outcome.report = (*index)->load(loaded, options);
    outcome.nodes = loaded.live().size();
    outcome.links = loaded.all_links.size();
    std::vector<std::string> messages;
    outcome.failures = *(*index)->verify(&messages);
    if (!messages.empty()) outcome.message = messages[0];
    return outcome;
  }

  TempFolder folder_;
  std::string path_;
};

TEST_F(Damage, SoundAtFirst) {
  const Outcome outcome = load(false);
  ASSERT_TRUE(outcome.report.ok());
  EXPECT_EQ(outcome.nodes, 402u);
  EXPECT_EQ(outcome.links, 400u);
  EXPECT_EQ(outcome.failures, 0u) << outcome.message;
}

TEST_F(Damage, VectorsChunkNamesItsLabelOrIsSetAside) {
  flip("1.vectors", 1, 12345);
  Outcome outcome = load(false);
  EXPECT_EQ(outcome.report.status().code(), StatusCode::kCorruption);
  EXPECT_NE(outcome.report.status().message().find("from 32"), std::string::npos)
      << outcome.report.status().message();
  EXPECT_GE(outcome.failures, 1u);
  outcome = load(true);
  ASSERT_TRUE(outcome.report.ok()) << outcome.report.status().to_string();
  EXPECT_EQ(outcome.report->salvaged, 1u);
  EXPECT_EQ(outcome.nodes, 402u - 32u);
}

TEST_F(Damage, NodesRecord) {
  flip("1.nodes", 2, 77);
  EXPECT_EQ(load(false).report.status().code(), StatusCode::kCorruption);
  const Outcome outcome = load(true);
  ASSERT_TRUE(outcome.report.ok());
  EXPECT_EQ(outcome.nodes, 402u - 64u);
  EXPECT_EQ(outcome.report->salvaged, 1u);
}

TEST_F(Damage, LinksRecordIsLeftOutAndCounted) {
  flip("1.links", 3, 50);
  const Outcome outcome = load(false);
  ASSERT_TRUE(outcome.report.ok());
  EXPECT_EQ(outcome.report->damaged_links, 1u);
  EXPECT_EQ(outcome.report->messages.size(), 1u);
  EXPECT_EQ(outcome.nodes, 402u);
  EXPECT_EQ(outcome.links, 392u);
  EXPECT_EQ(outcome.failures, 1u);
}

TEST_F(Damage, ThreadsReportWhatOneThreadReports) {
  for (const int nth : {0, 3, 17, 18, 49}) flip("1.links", nth, 50);
  const Outcome one = load(false);
  const Outcome three = load(false, true);
  ASSERT_TRUE(one.report.ok());
  ASSERT_TRUE(three.report.ok());
  EXPECT_EQ(three.report->damaged_links, 5u);
  EXPECT_EQ(three.report->messages, one.report->messages);
  EXPECT_EQ(three.nodes, 402u);
  EXPECT_EQ(three.links, 360u);

  flip("1.vectors", 12, 4711);
  flip("1.vectors", 1, 12345);
  EXPECT_EQ(load(false, true).report.status().to_string(), load(false).report.status().to_string());
  const Outcome salvaged = load(true, true);
  ASSERT_TRUE(salvaged.report.ok()) << salvaged.report.status().to_string();
  EXPECT_EQ(salvaged.report->salvaged, 2u);
  EXPECT_EQ(salvaged.nodes, 402u - 32u - 16u);
  EXPECT_EQ(load(false).nodes, salvaged.nodes);
}

TEST_F(Damage, JournalEntry) {
  flip("1.journal", 0, 999);
  const Outcome failed = load(false);
  EXPECT_EQ(failed.report.status().code(), StatusCode::kCorruption);
  EXPECT_NE(failed.report.status().message().find("journal entry 2"), std::string::npos)
      << failed.report.status().message();
  const Outcome outcome = load(true);
  ASSERT_TRUE(outcome.report.ok());
  EXPECT_EQ(outcome.nodes, 401u);
  EXPECT_EQ(outcome.report->salvaged, 1u);
}

// What was set aside is gone for good: the store is sound afterwards and takes writes.
TEST_F(Damage, SalvageMends) {
  flip("1.vectors", 1, 12345);
  flip("1.nodes", 5, 77);
  flip("1.journal", 0, 999);
  const Outcome first = load(true);
  ASSERT_TRUE(first.report.ok());
  EXPECT_EQ(first.failures, 0u) << first.message;
  const Outcome second = load(false);
  ASSERT_TRUE(second.report.ok()) << second.report.status().to_string();
  EXPECT_EQ(second.nodes, first.nodes);
}

TEST_F(Damage, MetaRecords) {
  flip("1.meta", 0, 3);  // options
  EXPECT_EQ(load(false).opened.code(), StatusCode::kCorruption);
  flip("1.meta", 0, 3);
  flip("1.meta", 1, 3);  // state
  EXPECT_EQ(load(false).opened.code(), StatusCode::kCorruption);
}

TEST_F(Damage, CatalogRecords) {
  flip("catalog", 1, 3);
  EXPECT_EQ(load(false).opened.code(), StatusCode::kCorruption);
  flip("catalog", 0, 3);
  EXPECT_EQ(StoreFile::open(path_, {}).status().code(), StatusCode::kCorruption);
}

}  // namespace
}  // namespace vicinal::persist::test
