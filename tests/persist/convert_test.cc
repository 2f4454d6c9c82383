// A store of format 1 is converted whole or not at all.
#include "persist/convert.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "persist/failpoints.h"
#include "persist/fixed_records.h"
#include "persist/format1.h"
#include "persist/index_databases.h"
#include "persist/lmdb_cursor.h"
#include "tests/persist/loaded.h"
#include "tests/persist/memory_index.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

constexpr std::uint32_t kConvertedDimension = 100;

/// A store of format 1 with three indexes, the first of which was dropped.
class Convert : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = folder_.file("s");
    auto store = open_store(folder_.file("present"), fast());
    std::vector<std::unique_ptr<IndexRecords>> records;
    for (const char* name : {"gone", "large", "small", "empty"}) {
      records.push_back(create(*store, kConvertedDimension, name));
      models_.push_back(std::make_unique<MemoryIndex>(records.back().get(), models_.size()));
    }
    models_[1]->batch(0, 20'000);
    ASSERT_TRUE(models_[1]->checkpoint().ok());
    for (Label label = 0; label < 300; ++label) models_[1]->upsert(label);
    models_[1]->erase_batch(20);
    models_[2]->upsert(7);
    records.clear();
    ASSERT_TRUE(store->drop_index("gone").ok());
    store.reset();
    make_format1(folder_.file("present"), path_);
  }

  /// What format 1 would have stored: the records are the same, in databases of each index.
  static void make_format1(const std::string& from_path, const std::string& to_path) {
    ASSERT_TRUE(std::filesystem::create_directory(to_path));
    EnvironmentOptions writing;
    writing.databases = format1::kDatabases;
    writing.durability = Durability::kNone;
    auto from = Environment::open(from_path, {});
    auto to = Environment::open(to_path, writing);
    ASSERT_TRUE(from.ok() && to.ok());
    const Status status = (*from)->with_handles([&](Transaction& in) {
      return (*to)->with_handles([&](Transaction& out) { return copy(in, out); });
    });
    ASSERT_TRUE(status.ok()) << status.to_string();
  }

  static Status copy(Transaction& in, Transaction& out) {
    const auto old_names = in.open_database(kCatalogName, false);
    const auto names = out.open_database(kCatalogName, true);
    SharedDatabases databases;
    Status s = databases.open(in, false);
    if (!s.ok()) return s;
    auto cursor = Cursor::open(in, *old_names);
    auto more = cursor->first();
    for (; more.ok() && *more; more = cursor->next()) {
      if (s = out.put(*names, cursor->key(), cursor->value()); !s.ok()) return s;
      if (cursor->key().size() == kStoreKey.size()) continue;
      CatalogEntry entry;
      s = read_record(in, *old_names, entry_id(cursor->key()), &entry);
      for (std::size_t part = 0; s.ok() && part < SharedDatabases::kCount; ++part) {
        const auto made = out.open_database(
            std::to_string(entry.index) + "." + SharedDatabases::kNames[part], true);
        auto walk = IndexRange(databases.handles()[part], entry.index).walk(in);
        auto next = walk->first();
        for (; s.ok() && next.ok() && *next; next = walk->next()) {
          s = out.put(*made, walk->key(), walk->value());
        }
      }
      if (!s.ok()) return s;
    }
    return write_record(out, *names, store_id(), StoreRecord{1, 5});
  }

  void expect_converted() {
    auto store = open_store(path_, fast());
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(*store->index_names(), (std::vector<std::string>{"empty", "large", "small"}));
    for (const auto& [name, i] : {std::pair("large", 1), {"small", 2}, {"empty", 3}}) {
      auto index = reopen(*store, name);
      Loaded loaded(kConvertedDimension);
      const auto report = index->load(loaded, {});
      ASSERT_TRUE(report.ok()) << report.status().to_string();
      EXPECT_TRUE(loaded.table == models_[i]->table) << name;
      EXPECT_EQ(report->damaged_links, 0u);
      std::vector<std::string> messages;
      EXPECT_EQ(*index->verify(&messages), 0u) << messages[0];
      Operation later;
      later.kind = OperationKind::kErase;
      later.node = graph::NodeId{0};
      const auto sequence = index->append(later);
      ASSERT_TRUE(sequence.ok()) << sequence.status().to_string();
      index->finish(*sequence);
    }
    auto made = create(*store, kConvertedDimension, "gone");
    Loaded loaded(kConvertedDimension);
    ASSERT_TRUE(made->load(loaded, {}).ok());
    EXPECT_TRUE(loaded.table.empty()) << "an id is not used again";
  }

  TemporaryFolder folder_;
  std::string path_;
  std::vector<std::unique_ptr<MemoryIndex>> models_;
};

std::string content_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST_F(Convert, HoldsWhatItHeld) {
  EXPECT_EQ(StoreFile::open(path_, fast()).status().code(), StatusCode::kFormatVersion);
  const auto converted = convert(path_);
  ASSERT_TRUE(converted.ok()) << converted.status().to_string();
  EXPECT_TRUE(*converted);
  EXPECT_FALSE(std::filesystem::exists(path_ + "/convert.part"));
  expect_converted();
  EXPECT_FALSE(*convert(path_));
  EXPECT_NE(open_store(path_, fast()), nullptr);
}

TEST_F(Convert, KilledItLeavesTheOldOrTheNew) {
  for (const char* where : {"convert.before_rename", "convert.after_rename"}) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      failpoints::arm(where, failpoints::Action::kKill);
      (void)convert(path_);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    const bool before = where == std::string("convert.before_rename");
    EXPECT_EQ(StoreFile::open(path_, fast()).status().code(),
              before ? StatusCode::kFormatVersion : StatusCode::kOk);
  }
  EXPECT_FALSE(*convert(path_));
  EXPECT_FALSE(std::filesystem::exists(path_ + "/convert.part"));
  expect_converted();
}

TEST_F(Convert, WhatFailsChangesNothing) {
  const std::string before = content_of(path_ + "/data.mdb");
  failpoints::arm("convert.before_rename", failpoints::Action::kFail);
  EXPECT_EQ(convert(path_).status().code(), StatusCode::kIoError);
  failpoints::disarm();
  EXPECT_TRUE(content_of(path_ + "/data.mdb") == before);
  EXPECT_FALSE(std::filesystem::exists(path_ + "/convert.part"));
  EXPECT_EQ(convert(folder_.file("absent")).status().code(), StatusCode::kNotFound);
  {
    auto open = open_store(folder_.file("present"), fast());
    EXPECT_EQ(convert(folder_.file("present")).status().code(), StatusCode::kBusy);
  }
  EXPECT_FALSE(*convert(folder_.file("present")));
  std::string damaged = before;
  std::size_t flipped = 0;
  for (std::size_t at = 8192; at + 4096 <= damaged.size() && flipped < 400; at += 4096) {
    if (damaged[at + 10] != 2) continue;  // a leaf
    damaged[at + 20] ^= 0x55;             // a place in its list
    ++flipped;
  }
  std::ofstream(path_ + "/data.mdb", std::ios::binary) << damaged;
  EXPECT_EQ(convert(path_).status().code(), StatusCode::kCorruption);
  EXPECT_TRUE(content_of(path_ + "/data.mdb") == damaged);
}

}  // namespace
}  // namespace vicinal::persist::test
