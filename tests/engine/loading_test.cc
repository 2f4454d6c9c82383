// Opening leaves vectors for later: every call answers meanwhile as it does afterwards.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "persist/failpoints.h"
#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

namespace failpoints = persist::failpoints;

constexpr std::size_t kRows = 1000;

struct Answers {
  std::vector<std::vector<Hit>> hits;
  std::vector<std::pair<Label, std::vector<float>>> rows;

  friend bool operator==(const Answers&, const Answers&) = default;
};

Answers answers(const Index& index) {
  Answers all;
  const LabelSet few(std::vector<Label>{3, 8, 500, 990, 2000});
  const LabelSet many(labels_up_to(300, 100));
  std::vector<float> queries;
  for (Label label = 9000; label < 9020; ++label) {
    const std::vector<float> query = vector_of(label);
    queries.insert(queries.end(), query.begin(), query.end());
    SearchOptions options;
    all.hits.push_back(index.search(query, options)->hits);
    options.filter = Filter::by([](Label l) { return l % 3 == 0; });
    all.hits.push_back(index.search(query, options)->hits);
    options.filter = Filter::among(few);
    all.hits.push_back(index.search(query, options)->hits);
    options.filter = Filter::among(many);
    all.hits.push_back(index.search(query, options)->hits);
    all.hits.push_back(index.search_radius(query, all.hits[0].back().distance)->hits);
    options.filter = {};
    options.exact = true;
    all.hits.push_back(index.search(query, options)->hits);
  }
  const Result<std::vector<SearchResult>> batch = index.search_batch(queries);
  for (const SearchResult& result : *batch) all.hits.push_back(result.hits);
  const Status walked = index.for_each([&](Label label, std::span<const float> row) {
    all.rows.emplace_back(label, std::vector<float>(row.begin(), row.end()));
    return true;
  });
  EXPECT_TRUE(walked.ok()) << walked.to_string();
  std::sort(all.rows.begin(), all.rows.end());
  for (const auto& [label, row] : all.rows) EXPECT_EQ(*index.get(label), row);
  return all;
}

class LoadingTest : public ::testing::TestWithParam<bool> {
 protected:
  /// A store of kRows vectors, some erased, some replaced.
  void SetUp() override {
    Store store = *Store::open(path(), quick_store());
    Index index = *store.index("text", options());
    const std::vector<Label> labels = labels_up_to(kRows);
    ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels)).ok());
    for (Label label = 0; label < 50; ++label) {
      ASSERT_TRUE(index.upsert(label, vector_of(label, 1)).ok());
    }
    for (Label label = 50; label < 80; ++label)
      ASSERT_EQ(*index.erase(label), EraseOutcome::kErased);
    before_ = answers(index);
    ASSERT_OK(store.close());
  }
  void TearDown() override { failpoints::disarm(); }

  std::string path() const { return folder_.file("s"); }
  static IndexOptions options() {
    IndexOptions options = small_options();
    options.vectors_in_memory = GetParam();
    return options;
  }
  /// Opened, and nothing comes into memory by itself.
  Index open_and_wait(Store& store) const {
    failpoints::arm("loading.background", failpoints::Action::kFail);
    Index index = *store.open_index("text", options());
    EXPECT_EQ(index.stats().vectors_to_load, kRows + 50);
    return index;
  }

  TemporaryFolder folder_;
  Answers before_;
};

INSTANTIATE_TEST_SUITE_P(VectorsInMemory, LoadingTest, ::testing::Bool());

TEST_P(LoadingTest, EveryCallAnswersBeforeItIsLoaded) {
  Store store = *Store::open(path(), quick_store());
  const Index index = open_and_wait(store);
  EXPECT_EQ(answers(index), before_);
  EXPECT_EQ(index.stats().vectors_to_load, kRows + 50);
  EXPECT_TRUE(index.contains(5));
  ASSERT_OK(index.finish_loading());
  EXPECT_EQ(index.stats().vectors_to_load, 0u);
  EXPECT_EQ(answers(index), before_);
  expect_sound(index, true);
}

TEST_P(LoadingTest, WritesBeforeItIsLoaded) {
  {
    Store store = *Store::open(path(), quick_store());
    Index index = open_and_wait(store);
    EXPECT_EQ(*index.upsert(100, vector_of(100)), UpsertOutcome::kUnchanged);
    EXPECT_EQ(*index.upsert(55, vector_of(55)), UpsertOutcome::kResurrected);
    EXPECT_EQ(*index.upsert(101, vector_of(101, 7)), UpsertOutcome::kUpdated);
    EXPECT_EQ(*index.upsert(5000, vector_of(5000)), UpsertOutcome::kInserted);
    EXPECT_EQ(*index.erase(102), EraseOutcome::kErased);
    const std::vector<Label> batch = labels_up_to(4, 200);
    EXPECT_EQ(index.upsert_batch(batch, matrix_of(batch, 3))->updated, 4u);
    ASSERT_OK(index.checkpoint());
    EXPECT_GT(index.stats().vectors_to_load, 0u);
    EXPECT_EQ(index.search(vector_of(101, 7), {.k = 1})->hits[0].label, 101u);
    EXPECT_EQ(index.search(vector_of(5000), {.k = 1})->hits[0].label, 5000u);
    EXPECT_EQ(*index.get(101), vector_of(101, 7));
    EXPECT_EQ(*index.get(202), vector_of(202, 3));
    ASSERT_OK(store.close());
  }
  Store store = *Store::open(path(), quick_store());
  const Index index = *store.open_index("text", options());
  EXPECT_EQ(*index.get(101), vector_of(101, 7));
  EXPECT_EQ(*index.get(55), vector_of(55));
  EXPECT_EQ(*index.get(202), vector_of(202, 3));
  EXPECT_FALSE(index.contains(102));
  expect_sound(index, true);
}

// What needs every row again and again waits for all of them.
TEST_P(LoadingTest, LongWorkLoadsFirst) {
  Store store = *Store::open(path(), quick_store());
  {
    Index index = open_and_wait(store);
    ASSERT_TRUE(index.repair().ok());
    EXPECT_EQ(index.stats().vectors_to_load, 0u);
    expect_sound(index, true);
    ASSERT_OK(store.close());
  }
  store = *Store::open(path(), quick_store());
  failpoints::arm("loading.background", failpoints::Action::kFail);
  Index index = *store.open_index("text", options());
  EXPECT_GT(index.stats().vectors_to_load, 0u);
  const std::vector<Label> labels = labels_up_to(100, 7000);
  ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels)).ok());
  EXPECT_EQ(index.stats().vectors_to_load, 0u);
  ASSERT_OK(index.rebuild());
  expect_sound(index, true);
}

TEST_P(LoadingTest, CancelledLoadingLeavesAUsableIndex) {
  Store store = *Store::open(path(), quick_store());
  const Index index = open_and_wait(store);
  BatchOptions options;
  options.progress = [](const Progress&) { return false; };
  EXPECT_CODE(index.finish_loading(options), kCancelled, "vectors are left");
  EXPECT_EQ(answers(index), before_);
}

TEST_P(LoadingTest, OpeningWaitsWhereItSaysSo) {
  IndexOptions waiting = options();
  waiting.load_in_background = false;
  {
    Store store = *Store::open(path(), quick_store());
    EXPECT_EQ(store.open_index("text", waiting)->stats().vectors_to_load, 0u);
    ASSERT_OK(store.close());
  }
  StoreOptions reading = quick_store();
  reading.read_only = true;
  Store store = *Store::open(path(), reading);
  const Index index = *store.open_index("text", options());
  EXPECT_EQ(index.stats().vectors_to_load, 0u);
  EXPECT_EQ(answers(index), before_);
}

TEST_P(LoadingTest, ClosingBesideLoadingAndSearching) {
  for (int round = 0; round < 8; ++round) {
    Store store = *Store::open(path(), quick_store());
    const Index index = *store.open_index("text", options());
    std::atomic<int> searches{0};
    std::thread searching([&] {
      for (Label label = 9000;; ++label) {
        const Result<SearchResult> result = index.search(vector_of(label));
        if (!result) {
          EXPECT_CODE(result.status(), kClosed, "text");
          break;
        }
        EXPECT_EQ(result->size(), 10u);
        ++searches;
      }
    });
    while (searches < 3 * round) std::this_thread::yield();
    ASSERT_OK(store.close());
    searching.join();
  }
  Store store = *Store::open(path(), quick_store());
  EXPECT_EQ(answers(*store.open_index("text", options())), before_);
}

/// Flips a bit of a row wherever the file holds it, and flips it back.
class RowDamage {
 public:
  RowDamage(std::string file, const std::vector<float>& row) : file_(std::move(file)) {
    content_.resize(std::filesystem::file_size(file_));
    std::fstream(file_, std::ios::in | std::ios::binary)
        .read(content_.data(), std::ssize(content_));
    const std::string_view bytes(reinterpret_cast<const char*>(row.data()), kDimension * 4);
    for (std::size_t at = content_.find(bytes); at != std::string::npos;
         at = content_.find(bytes, at + 1)) {
      places_.push_back(at);
    }
    EXPECT_FALSE(places_.empty());
  }
  void flip() {
    std::fstream damaged(file_, std::ios::in | std::ios::out | std::ios::binary);
    for (const std::size_t at : places_) {
      content_[at + 5] = static_cast<char>(content_[at + 5] ^ 64);
      damaged.seekp(static_cast<std::streamoff>(at + 5)).put(content_[at + 5]);
    }
  }

 private:
  const std::string file_;
  std::string content_;
  std::vector<std::size_t> places_;
};

// Damage that stands in the file before it is opened: nothing is answered from it.
TEST_P(LoadingTest, DamageBeforeOpeningIsReportedWhereItIsMet) {
  RowDamage damage(path() + "/data.mdb", vector_of(900));
  damage.flip();
  {
    Store store = *Store::open(path(), quick_store());
    const Index index = open_and_wait(store);
    EXPECT_CODE(index.get(900).status(), kCorruption, "label 900 in");
    EXPECT_CODE(index.search(vector_of(9000), {.exact = true}).status(), kCorruption, "checksum");
    EXPECT_CODE(index.search(vector_of(9000)).status(), kCorruption, "label");
    EXPECT_CODE(index.finish_loading(), kCorruption, "label");
    ValidateOptions deep;
    deep.deep = true;
    EXPECT_GE(index.validate(deep)->record_errors, 1u);
    EXPECT_CODE(store.close(), kCorruption, "label");
  }
  IndexOptions waiting = options();
  waiting.load_in_background = false;
  {
    Store store = *Store::open(path(), quick_store());
    EXPECT_CODE(store.open_index("text", waiting).status(), kCorruption, "checksum");
  }
  waiting.salvage = true;
  Store store = *Store::open(path(), quick_store());
  const Result<Index> saved = store.open_index("text", waiting);
  ASSERT_TRUE(saved.ok()) << saved.status().to_string();
  EXPECT_EQ(saved->stats().salvaged, 1u);
  EXPECT_FALSE(saved->contains(900));
  EXPECT_GT(saved->size(), 0u);
  expect_sound(*saved, true);
}

// The background meets it by itself.
TEST_P(LoadingTest, TheBackgroundReportsDamage) {
  RowDamage(path() + "/data.mdb", vector_of(900)).flip();
  Store store = *Store::open(path(), quick_store());
  Index index = *store.open_index("text", options());
  while (index.upsert(1, vector_of(1, 1)).ok()) std::this_thread::yield();
  EXPECT_CODE(index.upsert(1, vector_of(1, 8)).status(), kCorruption, "label");
  EXPECT_CODE(index.search(vector_of(9000)).status(), kCorruption, "label");
  EXPECT_CODE(store.close(), kCorruption, "label");
}

// A journal that a crash left is no reason to wait for all vectors.
TEST_P(LoadingTest, AShortJournalIsReplayedBeforeVectorsAreLoaded) {
  TemporaryFolder copies;
  {
    Store store = *Store::open(path(), quick_store());
    Index index = *store.open_index("text", options());
    ASSERT_OK(index.finish_loading());
    ASSERT_TRUE(index.upsert(5000, vector_of(5000)).ok());
    ASSERT_EQ(*index.erase(500), EraseOutcome::kErased);
    std::filesystem::copy(path(), copies.file("s"));  // as a crash leaves it
    ASSERT_OK(store.close());
  }
  failpoints::arm("loading.background", failpoints::Action::kFail);
  Store store = *Store::open(copies.file("s"), quick_store());
  const Index index = *store.open_index("text", options());
  EXPECT_EQ(index.stats().vectors_to_load, kRows + 50);
  EXPECT_EQ(index.search(vector_of(5000), {.k = 1})->hits[0].label, 5000u);
  EXPECT_FALSE(index.contains(500));
  expect_sound(index, true);
}

// E8: a file that is damaged after it was opened: whoever needs the row says so, and nothing built
// on it is stored.
TEST_P(LoadingTest, DamageAfterOpeningIsReported) {
  Store store = *Store::open(path(), quick_store());
  Index index = open_and_wait(store);
  RowDamage damage(path() + "/data.mdb", vector_of(900));
  damage.flip();
  EXPECT_CODE(index.get(900).status(), kCorruption, "label 900 in");
  EXPECT_CODE(index.for_each([](Label, std::span<const float>) { return true; }), kCorruption,
              "cannot be read");
  EXPECT_CODE(index.finish_loading(), kCorruption, "cannot be read: ");
  EXPECT_CODE(index.search(vector_of(9000)).status(), kCorruption, "label");
  EXPECT_CODE(index.upsert(1, vector_of(1, 8)).status(), kCorruption, "label");
  EXPECT_CODE(index.checkpoint(), kCorruption, "label");
  damage.flip();
  EXPECT_CODE(store.close(), kCorruption, "label");
  store = *Store::open(path(), quick_store());
  EXPECT_EQ(answers(*store.open_index("text", options())), before_);
}

}  // namespace
}  // namespace vicinal::testing
