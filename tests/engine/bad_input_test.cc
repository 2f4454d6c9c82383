// What the calls of an index refuse, with the numbers; and what a Result of a temporary gives.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

TEST(Options, OutOfRangeNamesValueAndRange) {
  const auto refused = [](auto change, const char* words) {
    IndexOptions options = small_options();
    change(options);
    EXPECT_CODE(Index::in_memory(options).status(), kInvalidArgument, words);
  };
  refused([](IndexOptions& o) { o.dimension = 0; }, "dimension 0 is outside 1 to 65536");
  refused([](IndexOptions& o) { o.dimension = 65537; }, "dimension 65537");
  refused([](IndexOptions& o) { o.M = 3; }, "M 3 is outside 4 to 64");
  refused([](IndexOptions& o) { o.M = 65; }, "M 65");
  refused([](IndexOptions& o) { o.ef_construction = 7; },
          "ef_construction 7 is outside 8 to 10000");
  refused([](IndexOptions& o) { o.ef_search = 0; }, "ef_search 0");
  refused([](IndexOptions& o) { o.ef_search = 100001; }, "ef_search 100001");
  refused([](IndexOptions& o) { o.repair_share = 1.5; }, "repair_share 1.5");
  refused([](IndexOptions& o) { o.metric = static_cast<Metric>(9); }, "metric 9");
  refused(
      [](IndexOptions& o) {
        o.quantization = Quantization::kNone;
        o.vectors_in_memory = false;
      },
      "int8");
}

TEST(BadVectors, AreRefusedWithNumbers) {
  Index index = filled(10);
  const std::vector<float> shorter(15, 1.0F);
  EXPECT_CODE(index.upsert(1, shorter).status(), kInvalidArgument, "dimension 15, index has 16");
  EXPECT_CODE(index.search(shorter).status(), kInvalidArgument, "dimension 15, index has 16");
  std::vector<float> bad = vector_of(1);
  bad[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_CODE(index.upsert(1, bad).status(), kInvalidArgument, "component 3 is nan");
  EXPECT_CODE(index.search(bad).status(), kInvalidArgument, "component 3 is nan");
  bad[3] = -std::numeric_limits<float>::infinity();
  EXPECT_CODE(index.upsert(1, bad).status(), kInvalidArgument, "component 3 is -inf");
  const std::vector<float> zero(kDimension, 0.0F);
  EXPECT_CODE(index.upsert(1, zero).status(), kInvalidArgument, "norm 0");
  EXPECT_CODE(index.search(zero).status(), kInvalidArgument, "norm 0");
  const std::vector<float> huge(kDimension, 3e38F);
  EXPECT_CODE(index.upsert(1, huge).status(), kInvalidArgument, "norm 1.2");
  const std::vector<float> tiny(kDimension, 1e-40F);
  EXPECT_CODE(index.upsert(1, tiny).status(), kInvalidArgument, "norm 3.9");
  EXPECT_EQ(index.size(), 10u);
}

TEST(BadVectors, LargeAndSmallNormsThatFitAreTaken) {
  Index index = filled(10);
  for (const float component : {1e30F, 1e-30F, 1e15F}) {
    std::vector<float> vector(kDimension, component);
    vector[0] = -component;
    ASSERT_TRUE(index.upsert(100, vector).ok()) << component;
    EXPECT_EQ(*index.get(100), vector);
    const Result<SearchResult> found = index.search(vector, {.k = 1});
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->size(), 1u);
    EXPECT_EQ((*found)[0].label, 100u);
    EXPECT_NEAR((*found)[0].distance, 0, 1e-5);
  }
}

TEST(BadVectors, SquaredNormsBeyondFloatAreRefusedUnderL2) {
  for (const Metric metric : {Metric::kSquaredL2, Metric::kInnerProduct}) {
    IndexOptions options = small_options();
    options.metric = metric;
    Index index = filled(10, options);
    EXPECT_CODE(index.upsert(1, std::vector<float>(kDimension, 1e20F)).status(), kInvalidArgument,
                "squared norm 1.6");
    EXPECT_TRUE(index.upsert(1, std::vector<float>(kDimension, 0.0F)).ok());
  }
}

// The longest that are accepted, pointing away from each other, are found from each other.
TEST(BadVectors, EveryAcceptedVectorIsFound) {
  for (const Metric metric : {Metric::kSquaredL2, Metric::kInnerProduct, Metric::kCosine}) {
    for (const Quantization quantization : {Quantization::kInt8, Quantization::kNone}) {
      for (const std::uint32_t dimension : {1u, 3u, 100u}) {
        IndexOptions options;
        options.dimension = dimension;
        options.metric = metric;
        options.quantization = quantization;
        Index index = *Index::in_memory(options);
        float longest = 3e38F;
        std::vector<float> vector(dimension);
        const auto upsert = [&](Label label, float component) {
          vector.assign(dimension, component);
          return index.upsert(label, vector).ok();
        };
        while (!upsert(1, longest)) longest *= 0.99F;
        ASSERT_TRUE(upsert(2, -longest));
        for (const float component : {longest, -longest, 0.9F * longest}) {
          vector.assign(dimension, component);
          EXPECT_EQ(index.search(vector)->size(), 2u) << dimension;
          EXPECT_EQ(index.search(vector, {.exact = true})->size(), 2u) << dimension;
          const float all = std::numeric_limits<float>::infinity();
          EXPECT_EQ(index.search_radius(vector, all)->hits.size(), 2u) << dimension;
          for (const Hit& hit : *index.search(vector)) EXPECT_TRUE(std::isfinite(hit.distance));
        }
      }
    }
  }
}

// A Result that ends with its statement gives its value away: the loop walks one that lives.
TEST(Results, OfATemporaryAreValues) {
  const Index index = filled(50);
  std::size_t hits = 0;
  for (const Hit& hit : *index.search(vector_of(3), {.k = 5})) hits += hit.label < 50 ? 1 : 0;
  EXPECT_EQ(hits, 5u);
  for (const float x : index.get(3).value()) EXPECT_TRUE(std::isfinite(x));
  static_assert(!std::is_reference_v<decltype(*std::declval<Result<int>>())>);
  static_assert(!std::is_reference_v<decltype(std::declval<Result<int>>().value())>);
  static_assert(!std::is_reference_v<decltype(std::declval<Result<int>>().status())>);
}

TEST(BadOptions, OfOneCallAreRefusedLikeThoseOfTheIndex) {
  Index index = filled(10);
  const std::vector<float> query = vector_of(1);
  std::vector<Hit> room(1);
  EXPECT_CODE(index.search(query, {.ef_search = 100001}).status(), kInvalidArgument,
              "ef_search 100001 is outside 0 to 100000");
  EXPECT_CODE(index.search_into(query, {.ef_search = 100001}, room).status(), kInvalidArgument,
              "ef_search");
  EXPECT_CODE(index.search_batch(query, {.ef_search = 100001}).status(), kInvalidArgument,
              "ef_search");
  EXPECT_CODE(index.search_batch(query, {}, 4097).status(), kInvalidArgument, "threads 4097");
  EXPECT_CODE(index.search_radius(query, 1, {.ef_search = 100001}).status(), kInvalidArgument,
              "ef_search");
  EXPECT_CODE(index.recall({.ef_search = 100001}).status(), kInvalidArgument, "ef_search");
  EXPECT_CODE(index.recall({.threads = 4097}).status(), kInvalidArgument, "threads");
  EXPECT_CODE(index.upsert_batch({}, {}, {.threads = 4097}).status(), kInvalidArgument, "threads");
  EXPECT_CODE(index.rebuild({.threads = 4097}), kInvalidArgument, "threads");
  EXPECT_TRUE(index.search(query, {.ef_search = 100000}).ok());
}

}  // namespace
}  // namespace vicinal::testing
