// Callbacks that other threads make for a call: they are inside of whatever the call is inside of, and what
// would wait for it is refused there, too.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

constexpr std::size_t kCallbackRows = 2000;

Index filled_for_callbacks() {
  IndexOptions options = small_options();
  options.threads = 4;
  options.repair_share = 0;
  Index index = *Index::in_memory(options);
  const std::vector<Label> labels = labels_up_to(kCallbackRows);
  EXPECT_TRUE(index.upsert_batch(labels, matrix_of(labels)).ok());
  return index;
}

/// What writes inside the filter of a search_batch() by four threads were answered.
struct FilterAnswers {
  std::atomic<int> busy{0};
  std::atomic<int> other{0};
};

void write_in_filters(Index& index, FilterAnswers& answers) {
  const Filter writes = Filter::by([&](Label label) {
    if (label % 16 != 0) return true;
    const Status status = index.upsert(label, vector_of(label, 7)).status();
    ++(status.code() == StatusCode::kBusy ? answers.busy : answers.other);
    return true;
  });
  EXPECT_TRUE(index.search_batch(matrix_of(labels_up_to(64)), {.k = 5, .filter = writes}, 4).ok());
}

TEST(Reentrancy, FiltersOfABatchOfSearchesInTheProgressOfABatch) {
  Index index = filled_for_callbacks();
  const std::vector<Label> labels = labels_up_to(kCallbackRows);
  FilterAnswers answers;
  bool asked = false;
  BatchOptions options;
  options.progress = [&](const Progress&) {
    if (!std::exchange(asked, true)) write_in_filters(index, answers);
    return true;
  };
  ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels, 1), options).ok());
  EXPECT_TRUE(asked);
  EXPECT_GT(answers.busy, 0);
  EXPECT_EQ(answers.other, 0) << "every label is of the batch";
}

TEST(Reentrancy, FiltersOfABatchOfSearchesUnderOnesOwnPause) {
  Index index = filled_for_callbacks();
  FilterAnswers answers;
  const PausedWrites pause = *index.pause_writes();
  write_in_filters(index, answers);
  EXPECT_GT(answers.busy, 0);
  EXPECT_EQ(answers.other, 0);
}

TEST(Reentrancy, FiltersOfABatchOfSearchesInAFilter) {
  Index index = filled_for_callbacks();
  FilterAnswers answers;
  bool asked = false;
  const Filter searches = Filter::by([&](Label) {
    if (std::exchange(asked, true)) return true;
    // Where a repair would wait for the readers, one of which waits for it.
    const Filter repairs = Filter::by([&](Label) {
      const Status status = index.repair().status();
      ++(status.ok() || status.code() == StatusCode::kBusy ? answers.busy : answers.other);
      return true;
    });
    EXPECT_TRUE(
        index.search_batch(matrix_of(labels_up_to(8)), {.k = 2, .filter = repairs}, 4).ok());
    return true;
  });
  for (Label label = 0; label < 100; ++label) ASSERT_TRUE(index.erase(label).ok());
  ASSERT_TRUE(index.search(vector_of(500), {.k = 5, .filter = searches}).ok());
  EXPECT_GT(answers.busy, 0);
  EXPECT_EQ(answers.other, 0);
}

/// What a callback owns: it ends with the callback's last copy.
struct AtEnd {
  std::function<void()> act;
  ~AtEnd() { act(); }
};

TEST(Reentrancy, WhatACallbackOwnsEndsAsItsStoreCloses) {
  const TemporaryFolder folder;
  std::optional<Store> store;
  std::vector<StatusCode> answers;
  StoreOptions options = quick_store();
  options.on_event = [owned = std::make_shared<AtEnd>([&] {
                        answers = {store->close().code(),
                                   store->index("text", small_options()).status().code(),
                                   store->drop_index("text").code()};
                      })](const Event&) {};
  store.emplace(*Store::open(folder.file("s"), options));
  options = {};
  ASSERT_OK(store->index("text", small_options())->upsert(1, vector_of(1)).status());
  ASSERT_OK(store->close());
  EXPECT_EQ(answers,
            (std::vector<StatusCode>{StatusCode::kBusy, StatusCode::kClosed, StatusCode::kClosed}));
  ASSERT_OK(Store::open(folder.file("s"), quick_store()).status());
}

TEST(Reentrancy, WhatACallbackOwnsEndsAsItsIndexIsDropped) {
  const TemporaryFolder folder;
  std::optional<Store> store(*Store::open(folder.file("s"), quick_store()));
  std::vector<StatusCode> answers;
  IndexOptions options = small_options();
  options.progress =
      [owned = std::make_shared<AtEnd>([&] {
         answers = {store->close().code(), store->index("text", small_options()).status().code()};
       })](const Progress&) { return true; };
  ASSERT_OK(store->index("text", options)->upsert(1, vector_of(1)).status());
  options = {};
  ASSERT_OK(store->drop_index("text"));
  EXPECT_EQ(answers, (std::vector<StatusCode>{StatusCode::kBusy, StatusCode::kOk}));
  ASSERT_OK(store->close());
}

}  // namespace
}  // namespace vicinal::testing
