// Many indexes in one store, as users hold them: made, written by eight threads, closed, opened
// again, searched, dropped and made anew, with the store's own thread at work.
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "persist/store_file.h"
#include "tests/engine/engine_testing.h"
#include "tests/persist/memory_index.h"
#include "tests/persist/support.h"

namespace vicinal::testing {
namespace {

constexpr Label kRowsOfEach = 20;

std::string name_of(std::size_t i) { return "tenant-" + std::to_string(i); }

/// The labels of index `i` are its own, so that a row that went astray shows.
Label first_label(std::size_t i) { return Label{i} * 1000; }

void expect_own_rows(Store& store, std::size_t i) {
  Result<Index> index = store.open_index(name_of(i));
  ASSERT_OK(index.status());
  EXPECT_EQ(index->size(), kRowsOfEach);
  for (const Label label : {first_label(i), first_label(i) + kRowsOfEach - 1}) {
    const Result<SearchResult> found = index->search(vector_of(label), {.k = kRowsOfEach});
    ASSERT_OK(found.status());
    ASSERT_EQ(found->hits.size(), kRowsOfEach);
    EXPECT_EQ(found->hits[0].label, label);
  }
}

TEST(Many, MadeWrittenOpenedDroppedAndMadeAnew) {
  constexpr std::size_t kIndexes = 150;
  constexpr std::size_t kAtOnce = 30;  // what is open stays open as long as its store
  constexpr std::size_t kThreads = 8;
  TemporaryFolder folder;
  StoreOptions options = quick_store();
  options.durability = Durability::kNone;
  options.checkpoint_bytes = 1 << 10;  // checkpoints beside the writers
  for (std::size_t first = 0; first < kIndexes; first += kAtOnce) {
    Store store = *Store::open(folder.file("s"), options);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = first + t; i < first + kAtOnce; i += kThreads) {
          Result<Index> index = store.index(name_of(i), small_options());
          ASSERT_OK(index.status());
          for (Label label = first_label(i); label < first_label(i) + kRowsOfEach; ++label) {
            ASSERT_OK(index->upsert(label, vector_of(label)).status());
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_OK(store.checkpoint());
    ASSERT_OK(store.close());
  }
  Store store = *Store::open(folder.file("s"), options);
  EXPECT_EQ(store.index_names()->size(), kIndexes);
  for (std::size_t i = 0; i < kIndexes; ++i) {
    if (i % 10 != 7) {
      ASSERT_OK(store.drop_index(name_of(i)));
    }
  }
  EXPECT_EQ(store.index_names()->size(), kIndexes / 10);
  for (std::size_t i = 7; i < kIndexes; i += 20) expect_own_rows(store, i);
  EXPECT_CODE(store.open_index(name_of(8)).status(), kNotFound, name_of(8));
  Result<Index> anew = store.index(name_of(8), small_options());
  ASSERT_OK(anew.status());
  EXPECT_EQ(anew->size(), 0u);
  std::vector<std::string> messages;
  EXPECT_EQ(*store.verify_records(&messages), 0u) << messages[0];
}

bool has_dropped(const std::string& path) {
  StoreOptions reading;
  reading.read_only = true;
  const auto file = persist::StoreFile::open(path, reading);
  EXPECT_TRUE(file.ok()) << file.status().to_string();
  return file.ok() && (*file)->has_dropped();
}

/// A store in which a dropped index has records left, as a crash between two steps leaves them.
void leave_records(const std::string& path) {
  {
    const auto file = persist::test::open_store(path, persist::test::fast());
    auto records = persist::test::create(*file, 4, "large");
    persist::test::MemoryIndex model(records.get(), 1);
    model.batch(0, 60'000);
    ASSERT_OK(model.checkpoint().status());
    records.reset();
    ASSERT_OK(file->drop_index("large"));
  }
  ASSERT_TRUE(has_dropped(path)) << "one step was enough";
}

TEST(Many, WhatADropLeftIsDeletedByTheStoresThread) {
  TemporaryFolder folder;
  leave_records(folder.file("s"));
  bool left = true;
  for (int tries = 0; left && tries < 200; ++tries) {
    {
      const Store store = *Store::open(folder.file("s"), {.durability = Durability::kNone});
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    left = has_dropped(folder.file("s"));
  }
  EXPECT_FALSE(left) << "nobody was called";
}

TEST(Many, WithoutOneItIsDeletedByTheNextCheckpointOfTheStore) {
  TemporaryFolder folder;
  leave_records(folder.file("s"));
  Store store =
      *Store::open(folder.file("s"), {.durability = Durability::kNone, .background = false});
  ASSERT_OK(store.checkpoint());
  ASSERT_OK(store.close());
  EXPECT_FALSE(has_dropped(folder.file("s")));
}

// A round of the store's thread looks at who was written to: an index that needs a checkpoint gets
// it, though others are written to all the time, and so does one that was only opened.
TEST(Many, TheStoresThreadComesToAllThatNeedIt) {
  TemporaryFolder folder;
  StoreOptions options = quick_store();
  options.durability = Durability::kNone;
  options.background = false;
  {
    Store store = *Store::open(folder.file("s"), options);
    Index index = *store.index("opened", small_options());
    for (Label label = 0; label < 200; ++label) {
      ASSERT_OK(index.upsert(label, vector_of(label)).status());
    }
    const Status copied = store.backup(folder.file("copy"));  // closing writes a checkpoint
    ASSERT_OK(copied);
  }
  options.background = true;
  options.checkpoint_bytes = 4 << 10;
  Store store = *Store::open(folder.file("copy"), options);
  const Index opened = *store.open_index("opened");
  std::vector<Index> written;
  for (std::size_t i = 0; i < 10; ++i) {
    written.push_back(*store.index(name_of(i), small_options()));
  }
  const auto all_small = [&] {
    bool small = opened.stats().journal_bytes < options.checkpoint_bytes;
    for (const Index& index : written) {
      small = small && index.stats().journal_bytes < options.checkpoint_bytes;
    }
    return small;
  };
  for (Label label = 0; label < 200; ++label) {
    for (Index& index : written) ASSERT_OK(index.upsert(label, vector_of(label)).status());
  }
  for (int tries = 0; !all_small() && tries < 2000; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(all_small());
  EXPECT_GE(opened.stats().checkpoint_age_s, 0.0) << "it was never written to";
}

}  // namespace
}  // namespace vicinal::testing
