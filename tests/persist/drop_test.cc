// Dropping an index among others: its name is free at once, its records go in steps, and a crash
// between two of them is made good by who opens the store next.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "persist/failpoints.h"
#include "persist/lmdb_cursor.h"
#include "tests/persist/tenants.h"

namespace vicinal::persist::test {
namespace {

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

/// Three indexes, the second large enough for a dozen steps of deleting.
class Dropping : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kWide = 700;

  void SetUp() override {
    path_ = folder_.file("s");
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

  TemporaryFolder folder_;
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

}  // namespace
}  // namespace vicinal::persist::test
