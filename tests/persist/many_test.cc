// Many indexes in one store: they share databases and nothing else. Each is found, written,
// checkpointed, loaded, verified and dropped as if it were alone, whatever its neighbors are.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "persist/failpoints.h"
#include "persist/index_databases.h"
#include "persist/lmdb_cursor.h"
#include "tests/persist/loaded.h"
#include "tests/persist/memory_index.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

constexpr std::uint32_t kDimension = 5;

std::string name_of(std::size_t i) { return "tenant-" + std::to_string(i); }

/// One with what it should hold.
struct Tenant {
  Tenant(StoreFile& store, std::size_t i, std::uint32_t dimension = kDimension)
      : records(create(store, dimension, name_of(i))), model(records.get(), i + 1) {}

  std::unique_ptr<IndexRecords> records;
  MemoryIndex model;
};

void expect_holds(StoreFile& store, std::size_t i, const MemoryIndex& model,
                  std::uint32_t dimension = kDimension) {
  auto records = reopen(store, name_of(i));
  ASSERT_NE(records, nullptr);
  Loaded loaded(dimension);
  const auto report = records->load(loaded, {});
  ASSERT_TRUE(report.ok()) << report.status().to_string();
  EXPECT_TRUE(loaded.table == model.table) << name_of(i);
  EXPECT_EQ(report->damaged_links, 0u);
  std::vector<std::string> messages;
  EXPECT_EQ(*records->verify(&messages), 0u) << messages[0];
}

/// Runs `change` on the databases that all indexes share.
void edit(const std::string& path,
          const std::function<Status(Transaction&, const SharedDatabases&)>& change) {
  auto environment = Environment::open(path, {});
  ASSERT_TRUE(environment.ok());
  const Status status = (*environment)->with_handles([&](Transaction& transaction) -> Status {
    SharedDatabases databases;
    const Status opened = databases.open(transaction, false);
    return opened.ok() ? change(transaction, databases) : opened;
  });
  ASSERT_TRUE(status.ok()) << status.to_string();
}

/// Records of each id in all databases, tails too.
std::map<std::uint32_t, std::size_t> records_by_id(const std::string& path) {
  std::map<std::uint32_t, std::size_t> counts;
  edit(path, [&](Transaction& transaction, const SharedDatabases& databases) -> Status {
    for (const DatabaseHandle handle : databases.handles()) {
      auto cursor = Cursor::open(transaction, handle);
      if (!cursor) return cursor.status();
      auto more = cursor->first();
      for (; more.ok() && *more; more = cursor->next()) {
        std::uint32_t id = 0;
        EXPECT_TRUE(parse_key(cursor->key().first(IndexRange::kIdBytes), &id));
        ++counts[id];
      }
      if (!more) return more.status();
    }
    return {};
  });
  return counts;
}

TEST(Many, AThousandAreMadeWrittenListedAndFoundAgain) {
  constexpr std::size_t kIndexes = 1000;
  constexpr std::size_t kWritten = 200;
  constexpr std::size_t kThreads = 8;
  TempFolder folder;
  std::vector<std::unique_ptr<Tenant>> tenants(kIndexes);
  {
    auto store = open_store(folder / "s", fast());
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
  auto store = open_store(folder / "s", fast());
  for (std::size_t i = 0; i < kIndexes; i += i < 100 ? 1 : 13) {
    expect_holds(*store, i, tenants[i]->model);
  }
}

// What lies in the databases before and behind an index is nobody's business: were it looked at, it
// would show here.
TEST(Many, DamageOfOthersIsNotMet) {
  TempFolder folder;
  std::vector<std::unique_ptr<Tenant>> tenants;
  {
    auto store = open_store(folder / "s", fast());
    for (std::size_t i = 0; i < 5; ++i) {
      tenants.push_back(std::make_unique<Tenant>(*store, i));
      tenants[i]->model.batch(0, 300);
      ASSERT_TRUE(tenants[i]->model.checkpoint().ok());
      tenants[i]->model.upsert(1000);
    }
    for (const auto& tenant : tenants) tenant->records.reset();
  }
  edit(folder / "s", [&](Transaction& transaction, const SharedDatabases& databases) -> Status {
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
  auto store = open_store(folder / "s", fast());
  expect_holds(*store, 2, tenants[2]->model);
  EXPECT_EQ(store->open_index(name_of(1)).status().code(), StatusCode::kCorruption);
  EXPECT_EQ(store->open_index(name_of(3)).status().code(), StatusCode::kCorruption);
}

// A record whose id became another's: its owner misses it, and the other does not take it.
TEST(Many, ARecordThatWentToAnotherIndexIsMissedByItsOwn) {
  for (const char* what : {"journal", "nodes"}) {
    TempFolder folder;
    {
      auto store = open_store(folder / "s", fast());
      Tenant a(*store, 0);
      Tenant b(*store, 1);
      a.model.batch(0, 200);
      ASSERT_TRUE(a.model.checkpoint().ok());
      a.model.upsert(1000);
      a.model.upsert(1001);
    }
    edit(folder / "s", [&](Transaction& transaction, const SharedDatabases& databases) -> Status {
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
    auto store = open_store(folder / "s", fast());
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

TEST(Many, ADamagedTailIsCountedAnewBySalvage) {
  for (const bool lost : {false, true}) {
    TempFolder folder;
    {
      auto store = open_store(folder / "s", fast());
      Tenant tenant(*store, 0);
      tenant.model.batch(0, 200);
      ASSERT_TRUE(tenant.model.checkpoint().ok());
      tenant.model.upsert(1000);
    }
    edit(folder / "s", [&](Transaction& transaction, const SharedDatabases& databases) -> Status {
      for (const IndexRange& range : {databases.of(1).journal, databases.of(1).nodes}) {
        Bytes found;
        EXPECT_TRUE(*range.get(transaction, kTailKey, &found));
        std::vector<std::byte> value(found.begin(), found.end());
        value.back() ^= std::byte{4};
        Status s =
            lost ? range.remove(transaction, kTailKey) : range.put(transaction, kTailKey, value);
        if (!s.ok()) return s;
      }
      return {};
    });
    auto store = open_store(folder / "s", fast());
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

/// Three indexes, the second large enough for a dozen steps of deleting.
class Dropping : public testing::Test {
 protected:
  static constexpr std::uint32_t kWide = 700;

  void SetUp() override {
    path_ = folder_ / "s";
    store_ = open_store(path_, fast());
    for (std::size_t i = 0; i < 3; ++i) {
      tenants_.push_back(std::make_unique<Tenant>(*store_, i, kWide));
      MemoryIndex& model = tenants_[i]->model;
      model.batch(0, i == 1 ? 30'000 : 100);
      ASSERT_TRUE(model.checkpoint().ok());
      model.upsert(100'000);
    }
    tenants_[1]->records.reset();
  }
  void reopen_store() {
    for (const auto& tenant : tenants_) tenant->records.reset();
    store_.reset();
    store_ = open_store(path_, fast());
  }
  void expect_neighbors() {
    for (const std::size_t i : {0, 2}) {
      tenants_[i]->records.reset();
      expect_holds(*store_, i, tenants_[i]->model, kWide);
    }
  }

  TempFolder folder_;
  std::string path_;
  std::unique_ptr<StoreFile> store_;
  std::vector<std::unique_ptr<Tenant>> tenants_;
};

TEST_F(Dropping, TheNameIsFreeAtOnceAndOthersWriteBetweenTheSteps) {
  ASSERT_TRUE(store_->drop_index(name_of(1)).ok());
  EXPECT_EQ(*store_->index_names(), (std::vector<std::string>{name_of(0), name_of(2)}));
  ASSERT_TRUE(store_->has_dropped()) << "there is more to do";
  {
    Tenant anew(*store_, 1, kWide);
    Loaded loaded(kWide);
    ASSERT_TRUE(anew.records->load(loaded, {}).ok());
    EXPECT_TRUE(loaded.table.empty());
    std::size_t steps = 0;
    for (Label label = 0; store_->delete_dropped(); ++label, ++steps) {
      tenants_[0]->model.upsert(200'000 + label);
      anew.model.upsert(label);
    }
    EXPECT_GT(steps, 2u);
    anew.records.reset();
    expect_holds(*store_, 1, anew.model, kWide);
  }
  EXPECT_FALSE(store_->has_dropped());
  expect_neighbors();
  reopen_store();
  EXPECT_FALSE(store_->has_dropped());
  store_.reset();
  const auto counts = records_by_id(path_);
  EXPECT_FALSE(counts.contains(2)) << "all of it is gone";
  EXPECT_TRUE(counts.contains(4)) << "an id is not used again";
}

TEST_F(Dropping, TwoAtOnce) {
  tenants_[0]->records.reset();
  ASSERT_TRUE(store_->drop_index(name_of(1)).ok());
  ASSERT_TRUE(store_->drop_index(name_of(0)).ok());
  while (store_->delete_dropped()) {
  }
  tenants_[2]->records.reset();
  expect_holds(*store_, 2, tenants_[2]->model, kWide);
  store_.reset();
  const auto counts = records_by_id(path_);
  EXPECT_EQ(counts.size(), 1u);
  EXPECT_TRUE(counts.contains(3));
}

TEST_F(Dropping, KilledBetweenTheStepsItGoesOnAtTheNextOpening) {
  reopen_store();
  store_.reset();
  for (const int countdown : {1, 2, 2}) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto store = open_store(path_, fast());
      failpoints::arm("drop.between_steps", failpoints::Action::kKill, countdown);
      (void)store->drop_index(name_of(1));
      while (store->delete_dropped()) {
      }
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    store_ = open_store(path_, fast());
    EXPECT_TRUE(store_->has_dropped());
    EXPECT_EQ(*store_->index_names(), (std::vector<std::string>{name_of(0), name_of(2)}));
    expect_neighbors();
    store_.reset();
  }
  store_ = open_store(path_, fast());
  while (store_->delete_dropped()) {
  }
  expect_neighbors();
  store_.reset();
  EXPECT_FALSE(records_by_id(path_).contains(2));
}

TEST_F(Dropping, MakingOneGoesOnWithIt) {
  ASSERT_TRUE(store_->drop_index(name_of(1)).ok());
  std::size_t made = 0;
  for (; store_->has_dropped() && made < 1000; ++made) Tenant(*store_, 100 + made);
  EXPECT_LT(made, 1000u);
  expect_neighbors();
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
  TempFolder folder;
  auto store = open_store(folder / "s", fast());
  std::vector<std::unique_ptr<Tenant>> tenants;
  for (std::size_t i = 0; i < indexes; ++i) tenants.push_back(std::make_unique<Tenant>(*store, i));
  constexpr std::uint64_t kCommits = 200;
  const std::uint64_t before = written_bytes();
  for (Label label = 0; label < kCommits; ++label) tenants[indexes / 2]->model.upsert(label);
  const std::uint64_t bytes = (written_bytes() - before) / kCommits;
  testing::Test::RecordProperty("bytes_per_commit_of_" + std::to_string(indexes),
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
