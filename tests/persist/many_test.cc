// Many indexes in one store: they share databases and nothing else. Each is found, written,
// checkpointed, loaded and verified as if it were alone, whatever its neighbors are.
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "persist/index_databases.h"
#include "persist/lmdb_cursor.h"
#include "tests/persist/tenants.h"

namespace vicinal::persist::test {
namespace {

TEST(Many, AThousandAreMadeWrittenListedAndFoundAgain) {
  constexpr std::size_t kIndexes = 1000;
  constexpr std::size_t kWritten = 200;
  constexpr std::size_t kThreads = 8;
  TemporaryFolder folder;
  std::vector<std::unique_ptr<Tenant>> tenants(kIndexes);
  {
    auto store = open_store(folder.file("s"), fast());
    std::set<std::string> names;
    for (std::size_t i = 0; i < kIndexes; ++i) {
      tenants[i] = std::make_unique<Tenant>(*store, i);
      names.insert(name_of(i));
    }
    EXPECT_EQ(*store->index_names(), (std::vector<std::string>(names.begin(), names.end())));
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (Label round = 0; round < 4; ++round) {
          for (std::size_t i = t; i < kWritten; i += kThreads) {
            MemoryIndex& model = tenants[i * 5]->model;
            model.upsert(round * 100);
            model.batch(round * 100 + 1, 3 + i % 70);
            model.erase(round * 100);
            if (round == 2) {
              EXPECT_TRUE(model.checkpoint().ok());
            }
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& tenant : tenants) tenant->records.reset();
  }
  auto store = open_store(folder.file("s"), fast());
  for (std::size_t i = 0; i < kIndexes; i += i < 100 ? 1 : 13) {
    expect_holds(*store, i, tenants[i]->model);
  }
}

// What lies in the databases before and behind an index is nobody's business: were it looked at, it
// would show here.
TEST(Many, DamageOfOthersIsNotMet) {
  TemporaryFolder folder;
  std::vector<std::unique_ptr<Tenant>> tenants;
  {
    auto store = open_store(folder.file("s"), fast());
    for (std::size_t i = 0; i < 5; ++i) {
      tenants.push_back(std::make_unique<Tenant>(*store, i));
      tenants[i]->model.batch(0, 300);
      ASSERT_TRUE(tenants[i]->model.checkpoint().ok());
      tenants[i]->model.upsert(1000);
    }
    for (const auto& tenant : tenants) tenant->records.reset();
  }
  edit(folder.file("s"), [&](Transaction& transaction, const SharedDatabases& databases) -> Status {
    for (const DatabaseHandle handle : databases.handles()) {
      std::vector<std::vector<std::byte>> keys;
      {
        auto cursor = Cursor::open(transaction, handle);
        auto more = cursor->first();
        for (; *more; more = cursor->next()) {
          keys.emplace_back(cursor->key().begin(), cursor->key().end());
        }
      }
      for (const std::vector<std::byte>& key : keys) {
        std::uint32_t id = 0;
        EXPECT_TRUE(parse_key(Bytes(key).first(IndexRange::kIdBytes), &id));
        if (id == 3) continue;
        Bytes found;
        EXPECT_TRUE(*transaction.get(handle, key, &found));
        std::vector<std::byte> value(found.begin(), found.end());
        value.back() ^= std::byte{1};
        if (Status s = transaction.put(handle, key, value); !s.ok()) return s;
      }
    }
    return {};
  });
  auto store = open_store(folder.file("s"), fast());
  expect_holds(*store, 2, tenants[2]->model);
  EXPECT_EQ(store->open_index(name_of(1)).status().code(), StatusCode::kCorruption);
  EXPECT_EQ(store->open_index(name_of(3)).status().code(), StatusCode::kCorruption);
}

// A record whose id became another's: its owner misses it, and the other does not take it.
TEST(Many, R4ARecordThatWentToAnotherIndexIsMissedByItsOwn) {
  for (const char* what : {"journal", "nodes"}) {
    TemporaryFolder folder;
    {
      auto store = open_store(folder.file("s"), fast());
      Tenant a(*store, 0);
      Tenant b(*store, 1);
      a.model.batch(0, 200);
      ASSERT_TRUE(a.model.checkpoint().ok());
      a.model.upsert(1000);
      a.model.upsert(1001);
    }
    edit(folder.file("s"),
         [&](Transaction& transaction, const SharedDatabases& databases) -> Status {
           const IndexDatabases from = databases.of(1);
           const IndexDatabases to = databases.of(2);
           const bool journal = what == std::string("journal");
           const IndexRange& range = journal ? from.journal : from.nodes;
           Bytes key;
           EXPECT_TRUE(*range.last_key(transaction, &key));
           const std::vector<std::byte> last(key.begin(), key.end());
           Bytes found;
           EXPECT_TRUE(*range.get(transaction, last, &found));
           const std::vector<std::byte> value(found.begin(), found.end());
           Status s = range.remove(transaction, last);
           return s.ok() ? (journal ? to.journal : to.nodes).put(transaction, last, value) : s;
         });
    auto store = open_store(folder.file("s"), fast());
    for (const std::size_t i : {0, 1}) {
      auto records = reopen(*store, name_of(i));
      std::vector<std::string> messages;
      EXPECT_GE(*records->verify(&messages), 1u) << what << i;
      Loaded loaded(kDimension);
      EXPECT_EQ(records->load(loaded, {}).status().code(), StatusCode::kCorruption) << what << i;
      Loaded salvaged(kDimension);
      const auto report = records->load(salvaged, {.salvage = true});
      ASSERT_TRUE(report.ok()) << report.status().to_string();
      EXPECT_GE(report->salvaged, 1u) << what << i;
      EXPECT_EQ(*records->verify(&messages), 0u) << what << i << messages.back();
    }
  }
}

TEST(Many, RecordsOfNoIndexAreToldOf) {
  TemporaryFolder folder;
  {
    auto store = open_store(folder.file("s"), fast());
    Tenant a(*store, 0);
    a.model.batch(0, 200);
    ASSERT_TRUE(a.model.checkpoint().ok());
    EXPECT_EQ(*store->verify_ids(nullptr), 0u);
  }
  edit(folder.file("s"), [&](Transaction& transaction, const SharedDatabases& databases) -> Status {
    Status s = databases.of(77).links.put(transaction, Key32(3).bytes(), text_key("x"));
    return s.ok() ? databases.of(~0u).links.put(transaction, Key32(3).bytes(), text_key("x")) : s;
  });
  auto store = open_store(folder.file("s"), fast());
  std::vector<std::string> messages;
  EXPECT_EQ(*store->verify_ids(&messages), 2u);
  EXPECT_EQ(messages.at(0), "links: records of no index, under id 77");
}

TEST(Many, ADamagedTailIsCountedAnewBySalvage) {
  for (const bool lost : {false, true}) {
    TemporaryFolder folder;
    {
      auto store = open_store(folder.file("s"), fast());
      Tenant tenant(*store, 0);
      tenant.model.batch(0, 200);
      ASSERT_TRUE(tenant.model.checkpoint().ok());
      tenant.model.upsert(1000);
    }
    edit(folder.file("s"),
         [&](Transaction& transaction, const SharedDatabases& databases) -> Status {
           for (const IndexRange& range : {databases.of(1).journal, databases.of(1).nodes}) {
             Bytes found;
             EXPECT_TRUE(*range.get(transaction, kTailKey, &found));
             std::vector<std::byte> value(found.begin(), found.end());
             value.back() ^= std::byte{4};
             Status s = lost ? range.remove(transaction, kTailKey)
                             : range.put(transaction, kTailKey, value);
             if (!s.ok()) return s;
           }
           return {};
         });
    auto store = open_store(folder.file("s"), fast());
    auto records = reopen(*store, name_of(0));
    Loaded loaded(kDimension);
    EXPECT_EQ(records->load(loaded, {}).status().code(), StatusCode::kCorruption);
    Loaded salvaged(kDimension);
    const auto report = records->load(salvaged, {.salvage = true});
    ASSERT_TRUE(report.ok()) << report.status().to_string();
    EXPECT_EQ(salvaged.live().size(), 201u) << "nothing but the count was lost";
    std::vector<std::string> messages;
    EXPECT_EQ(*records->verify(&messages), 0u) << messages[0];
    EXPECT_EQ(records->stats().journal_entries, 1u);
  }
}

/// Bytes that this process has handed to write().
std::uint64_t written_bytes() {
  std::ifstream io("/proc/self/io");
  std::string field;
  std::uint64_t value = 0;
  while (io >> field >> value) {
    if (field == "wchar:") return value;
  }
  return 0;
}

std::uint64_t bytes_per_commit(std::size_t indexes) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  std::vector<std::unique_ptr<Tenant>> tenants;
  for (std::size_t i = 0; i < indexes; ++i) tenants.push_back(std::make_unique<Tenant>(*store, i));
  constexpr std::uint64_t kCommits = 200;
  const std::uint64_t before = written_bytes();
  for (Label label = 0; label < kCommits; ++label) tenants[indexes / 2]->model.upsert(label);
  const std::uint64_t bytes = (written_bytes() - before) / kCommits;
  ::testing::Test::RecordProperty("bytes_per_commit_of_" + std::to_string(indexes),
                                  std::to_string(bytes));
  return bytes;
}

// The tree of a thousand is a level deeper: a page more, not a thousand.
TEST(Many, ACommitCostsWhatIsWritten) {
  if (written_bytes() == 0) GTEST_SKIP() << "no /proc/self/io";
  const std::uint64_t alone = bytes_per_commit(1);
  const std::uint64_t among_many = bytes_per_commit(1000);
  EXPECT_GT(alone, 0u);
  EXPECT_LE(among_many, alone + (4u << 12)) << alone;
}

}  // namespace
}  // namespace vicinal::persist::test
