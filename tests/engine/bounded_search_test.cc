// Searches with a limit: more of it never finds less, whatever walks and scans they take; and odd numbers
// of results.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>

#include "tests/engine/stream_support.h"

namespace vicinal::testing {
namespace {

constexpr std::uint32_t kOfTheBounded = 16;

/// `count` rows of which the filter of a test looks at the first component.
Index filled_without_codes(std::size_t count, Metric metric = Metric::kSquaredL2) {
  IndexOptions options = small_options();
  options.dimension = kOfTheBounded;
  options.metric = metric;
  options.quantization = Quantization::kNone;
  options.repair_share = 0;
  Index index = *Index::in_memory(options);
  const std::vector<Label> labels = labels_up_to(count);
  EXPECT_TRUE(index.upsert_batch(labels, matrix_of(labels, 0, kOfTheBounded)).ok());
  return index;
}

// Few pass the filter where the query is: the walk is too narrow, a wider one follows, then a scan.
TEST(BoundedSearch, MoreDistancesFindNoLess) {
  constexpr std::size_t kCount = 12'000;
  const Index index = filled_without_codes(kCount);
  const std::vector<float> rows = matrix_of(labels_up_to(kCount), 0, kOfTheBounded);
  const float low = *std::min_element(rows.begin(), rows.end());
  const float high = *std::max_element(rows.begin(), rows.end());
  std::uint64_t stopped_after_walks = 0;
  for (const float share : {0.25F, 0.35F}) {
    std::vector<float> query(kOfTheBounded, (low + high) / 2);
    query[0] = high;
    const float most = low + share * (high - low);
    const Filter few = Filter::by([&](Label label) { return rows[label * kOfTheBounded] < most; });
    const std::uint64_t whole = index.search(query, {.k = 10, .filter = few})->counters.distances;
    std::size_t hits = 0;
    float nearest = std::numeric_limits<float>::infinity();
    for (std::uint64_t budget = 100; budget < whole + 200; budget += 60) {
      const SearchResult found =
          *index.search(query, {.k = 10, .filter = few, .max_distances = budget});
      stopped_after_walks += found.counters.stopped &&
                             found.counters.path == SearchPath::kExactScan && found.size() > 0;
      ASSERT_GE(found.size(), hits) << budget;
      if (found.empty()) continue;
      ASSERT_LE(found[0].distance, nearest) << budget;
      hits = found.size();
      nearest = found[0].distance;
      for (std::size_t i = 1; i < found.size(); ++i) {
        ASSERT_NE(found[i].label, found[i - 1].label);
        ASSERT_LE(found[i - 1].distance, found[i].distance);
      }
    }
  }
  EXPECT_GT(stopped_after_walks, 0u) << "no scan followed a walk";
}

TEST(BoundedSearch, LooksAtTheClockWhereNothingCounts) {
  Index index = filled_without_codes(6000);
  for (Label label = 0; label < 5999; ++label) ASSERT_TRUE(index.erase(label).ok());
  SearchOptions options{.k = 3, .exact = true};
  options.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  const SearchResult found = *index.search(vector_of(1, 0, kOfTheBounded), options);
  EXPECT_TRUE(found.counters.stopped);
  EXPECT_TRUE(found.empty()) << "the one that counts is the last";
}

TEST(OddNumbers, RecallOfMoreThanThereAre) {
  const Index index = filled_without_codes(2000);
  RecallOptions all;
  all.samples = 20;
  all.ef_search = 1;
  all.k = 1999;
  const double recall = *index.recall(all);
  all.k = std::numeric_limits<std::size_t>::max();
  EXPECT_EQ(*index.recall(all), recall);
}

TEST(OddNumbers, ExpectedRecallBeyondWhatIsSampled) {
  const Index index = filled_without_codes(4000);
  for (const std::size_t k : {std::size_t{3000}, std::numeric_limits<std::size_t>::max()}) {
    const ExpectedRecall expected = *index.expected_recall(k);
    ASSERT_FALSE(expected.rows.empty());
    std::size_t before = 0;
    for (const ExpectedRecall::Row& row : expected.rows) {
      EXPECT_GE(row.ef_search, std::min<std::size_t>(k, std::size_t{1} << 53)) << k;
      EXPECT_GE(row.ef_search, before);
      before = row.ef_search;
    }
  }
}

TEST(OddNumbers, ReserveOfLessChangesNothing) {
  Index index = filled_without_codes(100);
  ASSERT_TRUE(index.reserve(200'000).ok());
  const std::uint64_t bytes = index.stats().bytes_labels;
  ASSERT_TRUE(index.reserve(10).ok());
  ASSERT_TRUE(index.reserve(200'000).ok());
  EXPECT_EQ(index.stats().bytes_labels, bytes);
}

// As long as accepted: then every distance is finite, and nothing is missing.
TEST(OddNumbers, InnerProductsOfTheLongestVectors) {
  for (const std::uint32_t dimension : {2u, 33u, 777u}) {
    IndexOptions options = small_options();
    options.dimension = dimension;
    options.metric = Metric::kInnerProduct;
    Index index = *Index::in_memory(options);
    std::vector<Label> stored;
    for (int step = 0; step < 60; ++step) {
      const double norm = std::exp2(62 + step * 0.05);  // around 2^62.5 and up to beyond a float's
      std::vector<float> row(dimension);
      for (std::size_t i = 0; i < row.size(); ++i) {
        row[i] = static_cast<float>((i % 2 == 0 ? 1 : -1) * norm / std::sqrt(dimension));
      }
      if (index.upsert(static_cast<Label>(step), row).ok()) stored.push_back(step);
    }
    ASSERT_GT(stored.size(), 5u);
    for (const Label label : stored) {
      const std::vector<float> query = *index.get(label);
      const SearchResult found = *index.search(query, {.k = stored.size()});
      ASSERT_EQ(found.size(), stored.size()) << "dimension " << dimension << ", label " << label;
      for (const Hit& hit : found) ASSERT_TRUE(std::isfinite(hit.distance));
    }
  }
}

// Of a label's tombstones only the one that was erased, and not replaced, may be lifted; which one it is
// nobody knows after loading.
TEST(Tombstones, OfWhatWasReplacedAreNotLifted) {
  Index index = filled_without_codes(10);
  ASSERT_TRUE(index.upsert(3, vector_of(3, 1, kOfTheBounded)).ok());
  ASSERT_TRUE(index.erase(3).ok());
  ASSERT_TRUE(index.erase(4).ok());
  Index copy = loaded(saved(index));
  EXPECT_NE(*copy.upsert(3, vector_of(3, 0, kOfTheBounded)), UpsertOutcome::kResurrected);
  EXPECT_EQ(*copy.upsert(4, vector_of(4, 0, kOfTheBounded)), UpsertOutcome::kResurrected);
  EXPECT_EQ(*index.upsert(3, vector_of(3, 1, kOfTheBounded)), UpsertOutcome::kResurrected);
  EXPECT_TRUE(copy.validate({.deep = true})->sound());
}

}  // namespace
}  // namespace vicinal::testing
