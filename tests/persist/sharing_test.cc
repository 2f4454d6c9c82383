// Who else has the store: readers that are killed or that no writer can know of, another copy of the
// library, other backups into the same folder.
#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "persist/failpoints.h"
#include "tests/child.h"
#include "tests/persist/loaded.h"
#include "tests/persist/memory_index.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

StoreOptions reading() {
  StoreOptions options;
  options.read_only = true;
  return options;
}

class Sharing : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = folder_.file("s");
    store_ = open_store(path_, fast());
    index_ = create(*store_, 64);
    model_ = std::make_unique<MemoryIndex>(index_.get(), 1);
    model_->batch(0, 500);
  }
  void close() {
    model_.reset();
    index_.reset();
    store_.reset();
  }

  /// Opens it for reading as somebody who may read the files and not write them: the first letter of
  /// what came of it.
  char open_as_stranger() {
    if (::geteuid() == 0) {
      if (::setgroups(0, nullptr) != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0) return '?';
    }
    if (::access((path_ + "/data.mdb").c_str(), R_OK) != 0) return 's';
    kept_ = StoreFile::open(path_, reading());
    if (kept_->ok()) return 'o';
    return kept_->status().code() == StatusCode::kBusy ? 'b' : 'x';
  }
  /// May the files be read by all, and written by nobody but root.
  void show_files() {
    ::chmod(std::filesystem::path(path_).parent_path().c_str(), 0755);
    ::chmod(path_.c_str(), 0755);
    ::chmod((path_ + "/data.mdb").c_str(), 0644);
    ::chmod((path_ + "/vicinal.lock").c_str(), 0644);
    ::chmod((path_ + "/lock.mdb").c_str(), ::geteuid() == 0 ? 0644 : 0444);
  }

  TemporaryFolder folder_;
  std::string path_;
  std::unique_ptr<StoreFile> store_;
  std::unique_ptr<IndexRecords> index_;
  std::unique_ptr<MemoryIndex> model_;
  std::optional<Result<std::unique_ptr<StoreFile>>> kept_;  ///< in a child
  std::vector<std::thread> others_;
};

// Nobody would keep for it the pages that it reads: beside a writer it is refused, and the other way round.
TEST_F(Sharing, AReaderWithoutAPlaceInTheTableAndAWriterExcludeEachOther) {
  show_files();
  {
    const testing::Speaker beside([this] { return open_as_stranger(); });
    if (beside.said() == 's')
      GTEST_SKIP() << "others may not come to the folder for temporary files";
    EXPECT_EQ(beside.said(), 'b');
  }
  close();
  testing::Speaker first([this] { return open_as_stranger(); });
  EXPECT_EQ(first.said(), 'o');
  const testing::Speaker second([this] { return open_as_stranger(); });
  EXPECT_EQ(second.said(), 'o') << "readers share it";
  const Status refused = StoreFile::open(path_, fast()).status();
  EXPECT_EQ(refused.code(), StatusCode::kBusy);
  EXPECT_NE(refused.message().find("reading"), std::string::npos) << refused.message();
}

TEST_F(Sharing, AnotherCopyOfTheLibraryIsSeenByReadersToo) {
  close();
  const int other = ::open((path_ + "/vicinal.lock").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(other, 0);
  for (const StoreOptions& options : {fast(), reading()}) {
    const Status status = StoreFile::open(path_, options).status();
    EXPECT_EQ(status.code(), StatusCode::kBusy);
    EXPECT_NE(status.message().find("another copy"), std::string::npos) << status.message();
  }
  ::close(other);
  EXPECT_TRUE(StoreFile::open(path_, reading()).ok());
}

// While the store stays open: each checkpoint looks who has gone.
TEST_F(Sharing, WhatAKilledReaderHeldIsUsedAgain) {
  const auto churn = [this](std::size_t rounds) {
    for (std::size_t i = 0; i < rounds; ++i) {
      auto made = create(*store_, 64, "made");
      MemoryIndex model(made.get(), 1);
      model.batch(0, 500);
      ASSERT_TRUE(model.checkpoint().ok());
      made.reset();
      ASSERT_TRUE(store_->drop_index("made").ok());
      while (store_->delete_dropped()) {
      }
    }
  };
  churn(3);
  testing::Speaker reader([this] {
    // What fork() left is the parent's: this opening is its own.
    static_cast<void>(store_.release());
    kept_ = StoreFile::open(path_, reading());
    if (!kept_->ok()) return 'x';
    static std::unique_ptr<IndexRecords> index = reopen(***kept_);
    static Loaded loaded(64);
    LoadOptions options;
    options.progress = [](const Progress&) -> bool {
      for (;;) ::usleep(1000);  // with its snapshot
    };
    std::thread([&options] { static_cast<void>(index->load(loaded, options)); }).detach();
    ::usleep(200'000);
    return 'o';
  });
  ASSERT_EQ(reader.said(), 'o');
  churn(2);
  const std::uint64_t before = store_->bytes_on_disk();
  EXPECT_EQ(store_->stale_readers(), 0);
  reader.kill();
  churn(12);
  EXPECT_EQ(store_->stale_readers(), 1);
  EXPECT_LE(store_->bytes_on_disk(), before + before / 2);
}

TEST_F(Sharing, ABackupAfterOneThatWasKilled) {
  const std::string copy = folder_.file("copy");
  for (const char* const where : {"backup.before_rename", "backup.after_rename"}) {
    std::filesystem::remove_all(copy);
    const pid_t child = testing::fork_child();
    if (child == 0) {
      failpoints::arm(where, failpoints::Action::kKill);
      static_cast<void>(store_->backup(copy));
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << where;
    if (std::string(where) == "backup.after_rename") break;  // then it is a store
    EXPECT_TRUE(std::filesystem::exists(copy + "/data.mdb.part"));
    const Status again = store_->backup(copy);
    ASSERT_TRUE(again.ok()) << again.to_string();
    EXPECT_FALSE(std::filesystem::exists(copy + "/data.mdb.part"));
    auto opened = open_store(copy, fast());
    Loaded loaded(64);
    ASSERT_TRUE(reopen(*opened)->load(loaded, {}).ok());
    EXPECT_EQ(loaded.live().size(), 500u);
  }
}

// One gets the folder, and what it acknowledges is whole.
TEST_F(Sharing, TwoBackupsIntoOneFolder) {
  for (int round = 0; round < 10; ++round) {
    const std::string copy = folder_.file("copy" + std::to_string(round));
    std::array<Status, 2> said;
    {
      std::vector<std::thread> threads;
      for (Status& status : said) {
        threads.emplace_back([&] { status = store_->backup(copy); });
      }
      for (std::thread& thread : threads) thread.join();
    }
    EXPECT_NE(said[0].ok(), said[1].ok()) << said[0].to_string() << ", " << said[1].to_string();
    const Status& refused = said[0].ok() ? said[1] : said[0];
    EXPECT_TRUE(refused.code() == StatusCode::kBusy ||
                refused.code() == StatusCode::kInvalidArgument)
        << refused.to_string();
    auto opened = open_store(copy, fast());
    std::vector<std::string> messages;
    EXPECT_EQ(*reopen(*opened)->verify(&messages), 0u);
  }
}

// -- What a disk refuses ---------------------------------------------------------------------------

TEST_F(Sharing, AFailedSyncIsNotForgotten) {
  failpoints::arm("lmdb.before_sync", failpoints::Action::kFail);
  EXPECT_EQ(store_->sync().code(), StatusCode::kIoError);
  failpoints::disarm();
  const Status again = store_->sync();
  EXPECT_EQ(again.code(), StatusCode::kIoError);
  EXPECT_NE(again.message().find("earlier sync failed"), std::string::npos) << again.message();
  model_->batch(500, 10);  // writing goes on
  model_.reset();
  index_.reset();
  EXPECT_EQ(store_->finish().code(), StatusCode::kIoError);
  store_.reset();
  store_ = open_store(path_, fast());
  EXPECT_TRUE(store_->sync().ok());
}

TEST_F(Sharing, ABatchThatDoesNotFitLeavesItsRoom) {
  close();
  path_ = folder_.file("limited");
  StoreOptions options = fast();
  options.max_map_bytes = 24 << 20;  // half of it for rows: 49,000 of 256 bytes
  store_ = open_store(path_, options);
  index_ = create(*store_, 64);
  EXPECT_FALSE(MemoryIndex(index_.get(), 1).batch(0, 60'000, false));
  model_ = std::make_unique<MemoryIndex>(index_.get(), 1);  // of no node yet
  model_->upsert(100'000);  // pages are used again by the commit after the next
  model_->upsert(100'001);
  model_->batch(0, 30'000);
  Loaded loaded(64);
  ASSERT_TRUE(reload(*store_, index_, loaded).ok());
  EXPECT_EQ(loaded.live().size(), 30'002u);
}

TEST_F(Sharing, RowsOfBatchesAreSaidToBeInChunks) {
  model_->upsert(100'000);
  model_->upsert(100'001);
  Loaded loaded(64);
  ASSERT_TRUE(reload(*store_, index_, loaded).ok());
  EXPECT_EQ(loaded.rows_in_journal, 2u);
  EXPECT_EQ(loaded.rows_in_chunks, 500u);
}

TEST_F(Sharing, WhoReadsMapsMoreThanItsOwnLimits) {
  close();
  StoreOptions options = reading();
  options.map_bytes = 1 << 20;
  options.max_map_bytes = 1 << 20;
  EXPECT_GE(open_store(path_, options)->map_bytes(), std::uint64_t{64} << 20);
}

// Where there is so little address space that another process writes beyond the map: it cannot move under
// the snapshot of the thread that asks.
TEST_F(Sharing, ACallbackInsideASnapshotIsRefusedWhatWouldMoveItsMap) {
  close();
  std::array<int, 2> go{};
  std::array<int, 2> done{};
  ASSERT_EQ(::pipe(go.data()) + ::pipe(done.data()), 0);
  const testing::Child writer([&] {
    char byte = 0;
    if (::read(go[0], &byte, 1) != 1) return;
    auto store = open_store(path_, fast());
    auto index = reopen(*store);
    Loaded loaded(64);
    if (!index->load(loaded, {}).ok()) return;
    auto made = create(*store, 64, "more");
    const bool wrote = MemoryIndex(made.get(), 1).batch(0, 20'000);
    if (::write(done[1], wrote ? "y" : "n", 1) == 1) ::pause();
  });
  ::close(done[1]);  // who ends without a word is not waited for
  EnvironmentOptions little;
  little.read_only = true;
  little.map_bytes = std::filesystem::file_size(path_ + "/data.mdb") + (64 << 10);
  Result<std::unique_ptr<Environment>> environment = Environment::open(path_, little);
  ASSERT_TRUE(environment.ok()) << environment.status().to_string();
  {
    Result<ReadTransaction> snapshot = (*environment)->read(Stay::kLong);
    ASSERT_TRUE(snapshot.ok());
    snapshot->call_back([&] {
      EXPECT_TRUE((*environment)->read().ok());
      char byte = 0;
      EXPECT_EQ(::write(go[1], "x", 1) + ::read(done[0], &byte, 1), 2);
      EXPECT_EQ(byte, 'y');
      std::thread other([&] { EXPECT_TRUE((*environment)->read().ok()); });  // once this has left
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      for (const Stay stay : {Stay::kShort, Stay::kLong}) {
        const Status refused = (*environment)->read(stay).status();
        EXPECT_EQ(refused.code(), StatusCode::kBusy) << refused.to_string();
      }
      others_.push_back(std::move(other));
    });
  }
  for (std::thread& other : others_) other.join();
  EXPECT_TRUE((*environment)->read().ok());
}

// As beside a backup: who would close the gate waits for it, and no short reader waits for them.
TEST(ReaderGate, ReadersGoOnWhileOneStays) {
  ReaderGate gate;
  EXPECT_EQ(gate.enter(Stay::kLong), nullptr);
  std::atomic<int> inside{0};
  std::thread closes([&] {
    const ReaderGate::Closed closed(gate);
    EXPECT_EQ(inside, 0);
    EXPECT_TRUE(gate.empty());
  });
  std::thread stays([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    gate.enter_again(Stay::kLong);
    gate.leave(nullptr, false, Stay::kLong);
  });
  for (int i = 0; i < 100; ++i) {
    gate.enter_again(Stay::kShort);
    ++inside;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    --inside;
    gate.leave(nullptr, false, Stay::kShort);
  }
  gate.leave(nullptr, false, Stay::kLong);
  closes.join();
  stays.join();
  EXPECT_TRUE(gate.empty());
}

}  // namespace
}  // namespace vicinal::persist::test
