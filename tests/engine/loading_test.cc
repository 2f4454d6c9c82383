// Opening: what was there before it answers as before, and damage is named.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

constexpr std::size_t kLoadedRows = 1000;

struct Answers {
  std::vector<std::vector<Hit>> hits;
  std::vector<std::pair<Label, std::vector<float>>> rows;

  friend bool operator==(const Answers&, const Answers&) = default;
};

Answers answers_of(const Index& index) {
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
  /// A store of kLoadedRows vectors, some erased, some replaced.
  void SetUp() override {
    Store store = *Store::open(path(), quick_store());
    Index index = *store.index("text", options());
    const std::vector<Label> labels = labels_up_to(kLoadedRows);
    ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels)).ok());
    for (Label label = 0; label < 50; ++label) {
      ASSERT_TRUE(index.upsert(label, vector_of(label, 1)).ok());
    }
    for (Label label = 50; label < 80; ++label)
      ASSERT_EQ(*index.erase(label), EraseOutcome::kErased);
    before_ = answers_of(index);
    ASSERT_OK(store.close());
  }

  std::string path() const { return folder_.file("s"); }
  static IndexOptions options() {
    IndexOptions options = small_options();
    options.vectors_in_memory = GetParam();
    return options;
  }
  TemporaryFolder folder_;
  Answers before_;
};

INSTANTIATE_TEST_SUITE_P(VectorsInMemory, LoadingTest, ::testing::Bool());

TEST_P(LoadingTest, EveryCallAnswersAsBefore) {
  for (const bool read_only : {false, true}) {
    StoreOptions reading = quick_store();
    reading.read_only = read_only;
    Store store = *Store::open(path(), reading);
    const Index index = *store.open_index("text", options());
    EXPECT_EQ(answers_of(index), before_);
    expect_sound(index, true);
    ASSERT_OK(store.close());
  }
}

// The map moves for what is written there: no snapshot of the load may stand in its way.
TEST_P(LoadingTest, ItsProgressMayWriteMoreThanTheMapHolds) {
  const std::uint64_t before = std::filesystem::file_size(path() + "/data.mdb");
  StoreOptions small = quick_store();
  small.background = false;
  small.map_bytes = before;
  Store store = *Store::open(path(), small);
  IndexOptions large;
  large.dimension = 1024;
  Index other = *store.index("other", large);
  const std::vector<Label> labels = labels_up_to(200);
  const std::vector<float> rows(labels.size() * large.dimension, 1.0F);
  IndexOptions telling = options();
  int told = 0;
  Status written;
  telling.progress = [&](const Progress&) {
    ++told;
    if (written.ok()) written = other.upsert_batch(labels, rows).status();
    if (written.ok()) written = other.erase_batch(labels).status();
    static_cast<void>(other.stats());
    return true;
  };
  const Index index = *store.open_index("text", telling);
  ASSERT_OK(written);
  EXPECT_GE(told, 1);
  EXPECT_GT(std::filesystem::file_size(path() + "/data.mdb"), before + before / 2);
  EXPECT_EQ(answers_of(index), before_);
  expect_sound(index, true);
  ASSERT_OK(store.close());
}

TEST_P(LoadingTest, ByAnyNumberOfThreads) {
  for (const unsigned threads : {1u, 2u, 7u}) {
    IndexOptions some = options();
    some.threads = threads;
    Store store = *Store::open(path(), quick_store());
    EXPECT_EQ(answers_of(*store.open_index("text", some)), before_) << threads;
  }
}

TEST_P(LoadingTest, ClosingBesideSearching) {
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
  EXPECT_EQ(answers_of(*store.open_index("text", options())), before_);
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

// Damage that stands in the file before it is opened: opening says so, or sets it aside.
TEST_P(LoadingTest, DamageIsReportedByOpening) {
  RowDamage(path() + "/data.mdb", vector_of(900)).flip();
  {
    Store store = *Store::open(path(), quick_store());
    EXPECT_CODE(store.open_index("text", options()).status(), kCorruption, "checksum");
  }
  IndexOptions salvaging = options();
  salvaging.salvage = true;
  Store store = *Store::open(path(), quick_store());
  const Result<Index> saved = store.open_index("text", salvaging);
  ASSERT_TRUE(saved.ok()) << saved.status().to_string();
  EXPECT_EQ(saved->stats().salvaged, 1u);
  EXPECT_FALSE(saved->contains(900));
  EXPECT_GT(saved->size(), 0u);
  expect_sound(*saved, true);
}

// A file that is damaged after it was opened: who reads the row out of it and verifies says so.
TEST_P(LoadingTest, DamageAfterOpeningIsMetByValidation) {
  Store store = *Store::open(path(), quick_store());
  const Index index = *store.open_index("text", options());
  RowDamage damage(path() + "/data.mdb", vector_of(900));
  damage.flip();
  ValidateOptions deep;
  deep.deep = true;
  EXPECT_GE(index.validate(deep)->record_errors, 1u);
  damage.flip();
  EXPECT_EQ(index.validate(deep)->record_errors, 0u);
  EXPECT_EQ(answers_of(index), before_);
}

}  // namespace
}  // namespace vicinal::testing
