// The last handle of a store may be destroyed in a callback of the store itself: closing is put off
// until the call, or the step of the store's own thread, has ended.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "persist/failpoints.h"
#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

constexpr std::size_t kRows = 600;

/// A store with an index of kRows rows in its journal, and nobody else who checkpoints them.
class LastHandle : public ::testing::Test {
 protected:
  /// A new one each time.
  void open(bool rows_in_memory = true) {
    ++stores_;
    refusal_ = second_open_ = StatusCode::kOk;
    went_on_.reset();
    StoreOptions options = quick_store();
    options.background = false;
    options_.threads = 2;
    options_.vectors_in_memory = rows_in_memory;
    store_ = std::make_unique<Store>(*Store::open(path(), options));
    index_ = *store_->index("text", options_);
    const std::vector<Label> labels = labels_up_to(kRows);
    ASSERT_OK(index_->upsert_batch(labels, matrix_of(labels)).status());
  }

  std::string path() const { return folder_.file(std::to_string(stores_)); }

  /// What a callback does: the first time, it lets go of the only handle.
  void let_go() {
    if (store_ == nullptr) return;
    EXPECT_CODE(store_->drop_index("text"), kBusy, "callback");
    refusal_ = store_->close().code();
    store_.reset();
    second_open_ = Store::open(path(), quick_store()).status().code();
    went_on_ = index_->upsert(kRows, vector_of(kRows));
  }

  /// After the call: what let_go() met, that the store is closed, and that it was checkpointed.
  void expect_closed_after() {
    ASSERT_EQ(store_, nullptr) << "no callback was called";
    EXPECT_EQ(refusal_, StatusCode::kBusy);
    EXPECT_EQ(second_open_, StatusCode::kBusy);
    if (went_on_) {
      ASSERT_OK(went_on_->status());
    }
    if (index_) {
      EXPECT_CODE(index_->upsert(1, vector_of(1)).status(), kClosed, "");
    }
    const Result<Store> again = Store::open(path(), quick_store());
    ASSERT_OK(again.status());
    const Result<StoredStats> stats = again->stored_stats("text");
    ASSERT_OK(stats.status());
    EXPECT_EQ(stats->live, kRows + (went_on_ ? 1 : 0));
    EXPECT_EQ(stats->journal_entries, 0u) << "closing checkpoints";
  }

  SearchOptions letting_go() {
    SearchOptions options{.k = 10};
    options.filter = Filter::by([this](Label) {
      const std::lock_guard lock(mutex_);
      let_go();
      return true;
    });
    return options;
  }
  ProgressCallback progress() {
    return [this](const Progress&) {
      let_go();
      return true;
    };
  }

  TemporaryFolder folder_;
  int stores_ = 0;
  IndexOptions options_ = small_options();
  std::unique_ptr<Store> store_;
  std::optional<Index> index_;
  std::mutex mutex_;
  StatusCode refusal_ = StatusCode::kOk;
  StatusCode second_open_ = StatusCode::kOk;
  std::optional<Result<UpsertOutcome>> went_on_;
};

TEST_F(LastHandle, InAVisitorOfVectors) {
  open();
  std::size_t visits = 0;
  ASSERT_OK(index_->for_each([&](Label, std::span<const float>) {
    ++visits;
    let_go();
    return true;
  }));
  EXPECT_GE(visits, kRows) << "the walk goes on";
  expect_closed_after();
}

// Who has paused writes would wait for writers that wait for him: closing comes when they go on.
TEST_F(LastHandle, WhileItsThreadHasPausedWrites) {
  open();
  {
    Result<PausedWrites> outer = index_->pause_writes();
    ASSERT_OK(outer.status());
    std::optional<PausedWrites> inner(*index_->pause_writes());
    store_.reset();
    EXPECT_CODE(Store::open(path(), quick_store()).status(), kBusy, "");
    inner.reset();
    EXPECT_CODE(Store::open(path(), quick_store()).status(), kBusy, "");
    refusal_ = second_open_ = StatusCode::kBusy;
  }
  expect_closed_after();
}

TEST_F(LastHandle, WhileAnotherThreadHasPausedWritesWaitsForIt) {
  open();
  std::atomic<bool> paused{false};
  std::atomic<bool> gone_on{false};
  std::thread other([&] {
    const Result<PausedWrites> pause = index_->pause_writes();
    paused = pause.ok();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    gone_on = true;
  });
  while (!paused) std::this_thread::yield();
  std::thread writer([&] { static_cast<void>(index_->upsert(1, vector_of(7))); });
  store_.reset();
  other.join();
  writer.join();
  EXPECT_TRUE(gone_on);
  ASSERT_OK(Store::open(path(), quick_store()).status());
}

TEST_F(LastHandle, InAVisitorOfTheJournal) {
  open();
  ASSERT_OK(store_->for_each_journal_entry("text", [&](const std::string&) {
    let_go();
    return true;
  }));
  expect_closed_after();
}

TEST_F(LastHandle, InTheFilterOfASearch) {
  for (const bool rows_in_memory : {true, false}) {
    SCOPED_TRACE(rows_in_memory);
    open(rows_in_memory);
    ASSERT_OK(index_->search(vector_of(5), letting_go()).status());
    expect_closed_after();
  }
}

TEST_F(LastHandle, InTheFilterOfASearchByRadius) {
  open();
  RadiusOptions options;
  options.filter = letting_go().filter;
  ASSERT_OK(index_->search_radius(vector_of(5), 0.5F, options).status());
  expect_closed_after();
}

TEST_F(LastHandle, InAFilterOnAThreadOfABatchInsideAVisitor) {
  open(false);
  const std::vector<Label> labels = labels_up_to(64);
  const std::vector<float> queries = matrix_of(labels);
  ASSERT_OK(index_->for_each([&](Label, std::span<const float>) {
    EXPECT_TRUE(index_->search_batch(queries, letting_go(), 2).ok());
    EXPECT_TRUE(index_->contains(1)) << "the visitor's call has not ended";
    return false;
  }));
  expect_closed_after();
}

TEST_F(LastHandle, InProgress) {
  const std::vector<std::function<Status()>> calls = {
      [&] { return index_->rebuild({.progress = progress()}); },
      [&] { return index_->checkpoint(progress()); },
      [&] { return index_->validate({.progress = progress()}).status(); },
      [&] {
        const Status erased = index_->erase(0).ok() ? index_->upsert(0, vector_of(0)).status()
                                                    : Status::busy("no erasure");
        return erased.ok() ? index_->repair({.progress = progress()}).status() : erased;
      },
      [&] {
        const std::vector<Label> labels = labels_up_to(kRows / 2);
        BatchOptions options;
        options.progress = progress();
        return index_->upsert_batch(labels, matrix_of(labels, 1), options).status();
      }};
  for (std::size_t i = 0; i < calls.size(); ++i) {
    SCOPED_TRACE(i);
    open();
    ASSERT_OK(calls[i]());
    expect_closed_after();
  }
}

// Told by the threads that load, and the handle that comes out is of a closed index.
TEST_F(LastHandle, InTheProgressOfOpening) {
  open();
  index_.reset();
  ASSERT_OK(store_->close());
  store_ = std::make_unique<Store>(*Store::open(path(), quick_store()));
  IndexOptions options = options_;
  options.progress = [&](const Progress&) {
    if (store_ == nullptr) return true;
    refusal_ = store_->close().code();
    store_.reset();
    second_open_ = Store::open(path(), quick_store()).status().code();
    return true;
  };
  index_ = *store_->index("text", options);
  expect_closed_after();
}

// An event of the store's own thread, which cannot wait for itself.
TEST(LastHandleOfAThread, InAnEventOfTheStoresOwnThread) {
  TemporaryFolder folder;
  std::mutex mutex;
  std::condition_variable changed;
  bool told = false;
  Status refusal;
  std::unique_ptr<Store> store;
  StoreOptions options = quick_store();
  options.checkpoint_bytes = 1;
  options.on_event = [&](const Event& event) {
    if (event.kind != EventKind::kCheckpointFailed) return;
    const std::lock_guard lock(mutex);
    if (store == nullptr) return;
    persist::failpoints::disarm();
    refusal = store->close();
    store.reset();
    told = true;
    changed.notify_all();
  };
  persist::failpoints::arm("checkpoint.after_links", persist::failpoints::Action::kFail);
  Index index = *Index::in_memory(small_options());
  {
    const std::lock_guard lock(mutex);
    store = std::make_unique<Store>(*Store::open(folder.file("s"), options));
    index = *store->index("text", small_options());
    ASSERT_OK(index.upsert(1, vector_of(1)).status());
  }
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return told; }));
  EXPECT_CODE(refusal, kBusy, "callback");
  // It closes soon.
  Result<Store> again = Store::open(folder.file("s"), quick_store());
  while (again.status().code() == StatusCode::kBusy) {
    std::this_thread::yield();
    again = Store::open(folder.file("s"), quick_store());
  }
  ASSERT_OK(again.status());
  EXPECT_CODE(index.upsert(2, vector_of(2)).status(), kClosed, "");
  EXPECT_EQ(again->stored_stats("text")->live, 1u);
  EXPECT_EQ(again->stored_stats("text")->journal_entries, 0u);
}

// The same where the thread is inside no index: explicit closing is refused there, too.
TEST(LastHandleOfAThread, InAnEventAboutTheFile) {
  TemporaryFolder folder;
  std::mutex mutex;
  std::condition_variable changed;
  bool told = false;
  Status refusal;
  std::unique_ptr<Store> store;
  StoreOptions options = quick_store();
  options.map_bytes = 256 << 10;
  options.on_event = [&](const Event& event) {
    if (event.kind != EventKind::kFileGrown) return;
    const std::lock_guard lock(mutex);
    if (store == nullptr) return;
    refusal = store->close();
    store.reset();
    told = true;
    changed.notify_all();
  };
  std::optional<Index> index;
  {
    const std::lock_guard lock(mutex);
    store = std::make_unique<Store>(*Store::open(folder.file("s"), options));
    index = *store->index("text", small_options());
  }
  Label live = 0;
  for (bool ok = true; ok; live += ok ? 100 : 0) {
    const std::vector<Label> labels = labels_up_to(100, live);
    ok = index->upsert_batch(labels, matrix_of(labels)).ok();
  }
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return told; }));
  EXPECT_CODE(refusal, kBusy, "its own thread");
  Result<Store> again = Store::open(folder.file("s"), quick_store());
  while (again.status().code() == StatusCode::kBusy) {
    std::this_thread::yield();
    again = Store::open(folder.file("s"), quick_store());
  }
  EXPECT_EQ(again->stored_stats("text")->live, live);
}

}  // namespace
}  // namespace vicinal::testing
