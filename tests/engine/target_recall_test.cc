// SearchOptions::recall: the recall that was said, without saying an ef.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

#include "tests/child.h"
#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

constexpr std::uint32_t kWide = 32;
constexpr std::size_t kQueries = 300;

/// Vectors in 40 overlapping clusters; those that follow are of the same kind.
class Kind {
 public:
  explicit Kind(std::uint32_t seed, float spread = 1) : random_(seed), spread_(spread) {
    std::mt19937 of_centers(11);
    centers_.resize(40 * kWide);
    for (float& x : centers_) x = normal_(of_centers);
  }
  std::vector<float> next(std::size_t count) {
    std::vector<float> all(count * kWide);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t center = random_() % 40;
      for (std::size_t d = 0; d < kWide; ++d) {
        all[i * kWide + d] = centers_[center * kWide + d] + spread_ * normal_(random_);
      }
    }
    return all;
  }

 private:
  std::mt19937 random_;
  std::normal_distribution<float> normal_;
  const float spread_;
  std::vector<float> centers_;
};

void add(Index& index, Kind& kind, std::size_t first, std::size_t count) {
  std::vector<Label> labels(count);
  for (std::size_t i = 0; i < count; ++i) labels[i] = first + i;
  ASSERT_TRUE(index.upsert_batch(labels, kind.next(count)).ok());
}

class TargetRecall : public ::testing::Test {
 protected:
  TargetRecall() {
    IndexOptions options;
    options.dimension = kWide;
    options.M = 8;
    options.ef_construction = 60;
    index_ = *Index::in_memory(options);
    add(*index_, base_, 0, 3000);
  }

  std::span<const float> query(std::size_t i) const {
    return std::span(queries_).subspan(i * kWide, kWide);
  }

  struct Outcome {
    double recall = 0;
    double ef = 0;  ///< mean
  };
  Outcome reached(SearchOptions options) const {
    Outcome outcome;
    SearchOptions exact;
    exact.k = options.k;
    exact.exact = true;
    for (std::size_t i = 0; i < kQueries; ++i) {
      const SearchResult found = *index_->search(query(i), options);
      const SearchResult right = *index_->search(query(i), exact);
      std::size_t agree = 0;
      for (const Hit& hit : found) agree += hit.distance <= right.hits.back().distance ? 1 : 0;
      outcome.recall += static_cast<double>(agree) / static_cast<double>(right.size());
      outcome.ef += static_cast<double>(found.counters.ef_search);
    }
    outcome.recall /= kQueries;
    outcome.ef /= kQueries;
    return outcome;
  }

  Kind base_{1};
  std::optional<Index> index_;
  const std::vector<float> queries_ = Kind(2).next(kQueries);
};

TEST_F(TargetRecall, IsReachedWithoutMuchMore) {
  for (const std::size_t k : {5u, 10u, 40u}) {
    double ef_before = 0;
    for (const double wanted : {0.9, 0.97}) {
      const Outcome outcome = reached({.k = k, .recall = wanted});
      // A slow machine has a hundred samples only, and 300 queries are as few.
      EXPECT_GT(outcome.recall, wanted - 0.025) << k;
      if (outcome.ef > static_cast<double>(k) + 1) {
        EXPECT_LT(outcome.recall, wanted + 0.035) << k;
      }
      EXPECT_GE(outcome.ef, std::max(ef_before, static_cast<double>(k))) << k;
      ef_before = outcome.ef;
    }
  }
}

TEST_F(TargetRecall, EfWins) {
  const SearchResult result = *index_->search(query(0), {.k = 10, .ef_search = 77, .recall = 0.5});
  EXPECT_EQ(result.counters.ef_search, 77u);
}

TEST_F(TargetRecall, OneIsExact) {
  const SearchResult all = *index_->search(query(0), {.k = 10, .exact = true});
  const SearchResult one = *index_->search(query(0), {.k = 10, .recall = 1});
  EXPECT_EQ(one.hits, all.hits);
  EXPECT_EQ(one.counters.path, SearchPath::kExactScan);
  EXPECT_EQ(one.counters.ef_search, 0u);
}

TEST_F(TargetRecall, WhatIsNoShareIsRefused) {
  EXPECT_CODE(index_->search(query(0), {.recall = 1.5}).status(), kInvalidArgument,
              "recall 1.5: must lie in 0 to 1");
  EXPECT_CODE(index_->search(query(0), {.recall = -0.1}).status(), kInvalidArgument, "-0.1");
  EXPECT_CODE(
      index_->search(query(0), {.recall = std::numeric_limits<double>::quiet_NaN()}).status(),
      kInvalidArgument, "nan");
  EXPECT_CODE(index_->expected_recall(0).status(), kInvalidArgument, "k 0");
}

TEST_F(TargetRecall, ADeadlineDoesNotWaitForTheTable) {
  SearchOptions options{.k = 10, .recall = 0.9};
  options.deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
  const SearchResult before = *index_->search(query(0), options);
  EXPECT_EQ(before.counters.ef_search, index_->options().ef_search);
  EXPECT_EQ(index_->expected_recall(10)->rows.front().ef_search, 10u);
  const SearchResult after = *index_->search(query(0), options);
  EXPECT_NE(after.counters.ef_search, index_->options().ef_search);
}

TEST_F(TargetRecall, TellsWhatItKnows) {
  const ExpectedRecall known = *index_->expected_recall(10);
  EXPECT_GE(known.own_vectors, 64u);
  ASSERT_GT(known.rows.size(), 5u);
  EXPECT_EQ(known.rows.front().ef_search, 10u);
  EXPECT_GT(known.rows.back().recall, 0.99);
  for (std::size_t i = 1; i < known.rows.size(); ++i) {
    EXPECT_GT(known.rows[i].ef_search, known.rows[i - 1].ef_search);
    EXPECT_GT(known.rows[i].recall, known.rows[i - 1].recall - 0.02);
  }
}

TEST_F(TargetRecall, FewVectorsAreComparedAll) {
  IndexOptions options;
  options.dimension = kWide;
  Index few = *Index::in_memory(options);
  EXPECT_TRUE(few.search(query(0), {.k = 10, .recall = 0.9})->empty());
  Kind kind(5);
  add(few, kind, 0, 50);
  EXPECT_EQ(few.search(query(0), {.k = 10, .recall = 0.9})->size(), 10u);
  EXPECT_TRUE(few.expected_recall(10)->rows.empty());
}

TEST_F(TargetRecall, QueriesAskedAreComparedInTheBackground) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  const auto known = [&] { return index_->expected_recall(10)->queries; };
  for (std::size_t i = 0; known() < 20 && std::chrono::steady_clock::now() < end; ++i) {
    ASSERT_TRUE(index_->search(query(i % kQueries), {.k = 10, .recall = 0.9}).ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_GE(known(), 20u);
}

TEST_F(TargetRecall, IsMeasuredAnewWhenTheIndexGrows) {
  ASSERT_GE(index_->expected_recall(10)->own_vectors, 64u);
  add(*index_, base_, 3000, 3000);
  const std::uint64_t before = index_->expected_recall(10)->own_vectors;
  // The thread begins from nothing, and is seen on its way.
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  bool anew = false;
  while (!anew && std::chrono::steady_clock::now() < end) {
    ASSERT_TRUE(index_->search(query(0), {.k = 10, .recall = 0.9}).ok());
    anew = index_->expected_recall(10)->own_vectors < before;
  }
  EXPECT_TRUE(anew);
}

TEST_F(TargetRecall, AStoreClosesWhileItLearns) {
  const TemporaryFolder folder;
  for (const bool in_memory : {true, false}) {
    Store store = *Store::open(folder.file(in_memory ? "a" : "b"), quick_store());
    IndexOptions options;
    options.dimension = kWide;
    options.vectors_in_memory = in_memory;
    Index index = *store.index("i", options);
    Kind kind(5);
    add(index, kind, 0, 1500);
    std::jthread asking([&](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const Result<SearchResult> result = index.search(query(0), {.k = 10, .recall = 0.9});
        EXPECT_TRUE(result.ok() || result.status().code() == StatusCode::kClosed);
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_TRUE(store.close().ok());
  }
}

TEST_F(TargetRecall, AChildOfForkSearchesWithWhatWasKnown) {
  if (!kForksBesideThreads) GTEST_SKIP() << "the sanitizer's allocator does not go over a fork";
  ASSERT_TRUE(index_->search(query(0), {.k = 10, .recall = 0.9}).ok());  // whose thread learns
  EXPECT_EQ(in_child([&] {
              const auto found = index_->search(query(1), {.k = 10, .recall = 0.9});
              return found.ok() && found->size() == 10 && found->counters.ef_search >= 10 ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace vicinal::testing
