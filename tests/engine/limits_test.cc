// Searches that stop before their end, and those that go on behind it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <set>

#include "vicinal/index.h"

namespace vicinal::engine::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kDimension = 24;

std::vector<float> vectors(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> all(count * kDimension);
  for (float& x : all) x = normal(random);
  return all;
}

Index filled_to_a_limit(std::size_t count) {
  IndexOptions options;
  options.dimension = kDimension;
  Index index = *Index::in_memory(options);
  std::vector<Label> labels(count);
  for (std::size_t i = 0; i < count; ++i) labels[i] = i;
  EXPECT_TRUE(index.upsert_batch(labels, vectors(count, 1)).ok());
  return index;
}

class Limits : public ::testing::TestWithParam<bool> {
 protected:
  const Index index_ = filled_to_a_limit(4000);
  const std::vector<float> query_ = vectors(1, 2);
  SearchOptions options_ = {.k = 10, .exact = GetParam()};
};

TEST_P(Limits, DistancesStopASearchWithTheBestMetSoFar) {
  options_.max_distances = 300;
  const SearchResult some = *index_.search(query_, options_);
  EXPECT_TRUE(some.counters.stopped);
  EXPECT_EQ(some.size(), 10u);
  EXPECT_GE(some.counters.distances, 300u);
  EXPECT_LT(some.counters.distances, 900u);
  for (std::size_t i = 1; i < some.size(); ++i) EXPECT_LE(some[i - 1].distance, some[i].distance);
  options_.max_distances = 1'000'000;
  const SearchResult all = *index_.search(query_, options_);
  EXPECT_FALSE(all.counters.stopped);
  EXPECT_LE(all[0].distance, some[0].distance);
}

TEST_P(Limits, ADeadlineThatHasPassedStopsAtOnce) {
  options_.deadline = Clock::now() - std::chrono::seconds(1);
  const SearchResult some = *index_.search(query_, options_);
  EXPECT_TRUE(some.counters.stopped);
  EXPECT_LT(some.counters.distances, 900u);
  options_.filter = Filter([](Label) { return false; });
  const SearchResult none = *index_.search(query_, options_);
  EXPECT_TRUE(none.counters.stopped);
  EXPECT_TRUE(none.empty());
  EXPECT_LT(none.counters.nodes_visited, 900u);
}

TEST_P(Limits, ADeadlineThatIsFarChangesNothing) {
  const SearchResult unlimited = *index_.search(query_, options_);
  options_.deadline = Clock::now() + std::chrono::hours(1);
  const SearchResult limited = *index_.search(query_, options_);
  EXPECT_FALSE(limited.counters.stopped);
  EXPECT_EQ(limited.hits, unlimited.hits);
  EXPECT_EQ(limited.counters.distances, unlimited.counters.distances);
}

TEST_P(Limits, MoreGoesOnToTheLast) {
  const std::vector<Hit> exact = index_.search(query_, {.k = 4000, .exact = true})->hits;
  std::vector<Hit> all;
  for (;;) {
    const SearchResult next = *index_.more(query_, all, 700, options_);
    all.insert(all.end(), next.begin(), next.end());
    if (next.size() < 700) break;
  }
  ASSERT_EQ(all.size(), exact.size());
  std::set<Label> labels;
  for (const Hit& hit : all) labels.insert(hit.label);
  EXPECT_EQ(labels.size(), all.size());
  if (GetParam()) {
    EXPECT_EQ(all, exact);
  }
}
INSTANTIATE_TEST_SUITE_P(WalkedAndExact, Limits, ::testing::Bool(),
                         [](const auto& each) { return each.param ? "Exact" : "Walked"; });

TEST(More, SeesWhatChangedMeanwhileAndNoneTwice) {
  Index index = filled_to_a_limit(1000);
  const std::vector<float> query = vectors(1, 2);
  const std::vector<Hit> first = index.search(query, {.k = 20})->hits;
  ASSERT_TRUE(index.erase(first[3].label).ok());
  ASSERT_TRUE(index.upsert(5000, query).ok());  // nearer than all
  const SearchResult next = *index.more(query, first, 20);
  ASSERT_EQ(next.size(), 20u);
  EXPECT_EQ(next[0].label, 5000u);
  for (const Hit& hit : next) {
    for (const Hit& known : first) EXPECT_NE(hit.label, known.label);
  }
  EXPECT_TRUE(index.more(query, first, 0)->empty());
  EXPECT_EQ(index.more(query, {}, 5)->hits, index.search(query, {.k = 5})->hits);
  EXPECT_EQ(index.more(query, first, ~std::size_t{0})->size(), 1000u - 20u + 1u);
  EXPECT_FALSE(index.more(std::vector<float>(3), first, 5).ok());
}

// Powers of two scale every step of coding and measuring exactly: what is found is the same, as long as a
// distance between codes is a float32 at all.
TEST(Units, OfVectorsDoNotShowInWhatIsFound) {
  constexpr std::size_t kRows = 2000;
  const std::vector<float> rows = vectors(kRows, 3);
  const std::vector<float> queries = vectors(50, 4);
  const auto found_at = [&](float unit, Metric metric, Storage storage) {
    IndexOptions options;
    options.dimension = kDimension;
    options.metric = metric;
    options.storage = storage;
    Index index = *Index::in_memory(options);
    std::vector<Label> labels(kRows);
    for (std::size_t i = 0; i < kRows; ++i) labels[i] = i;
    std::vector<float> scaled(rows.size());
    std::transform(rows.begin(), rows.end(), scaled.begin(), [&](float x) { return x * unit; });
    EXPECT_TRUE(index.upsert_batch(labels, scaled).ok());
    std::vector<Label> found;
    for (std::size_t i = 0; i < 50; ++i) {
      std::vector<float> query(&queries[i * kDimension], &queries[i * kDimension] + kDimension);
      for (float& x : query) x *= unit;
      for (const Hit& hit : *index.search(query, {.k = 10, .ef_search = 40})) {
        found.push_back(hit.label);
      }
    }
    return found;
  };
  for (const Metric metric : {Metric::kSquaredL2, Metric::kCosine}) {
    for (const Storage storage : {Storage::kFloat32, Storage::kInt8}) {
      const std::vector<Label> right = found_at(1, metric, storage);
      for (const int power : {-50, -40, -35, -20, 20, 40, 55}) {
        EXPECT_EQ(found_at(std::ldexp(1.0F, power), metric, storage), right) << "at 2^" << power;
      }
    }
  }
}

}  // namespace
}  // namespace vicinal::engine::testing
