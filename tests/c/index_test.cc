// Writing and reading an index through the C ABI, beside the C++ API's answers.
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "tests/c/c_testing.h"

namespace vicinal::testing {
namespace {

TEST(CIndex, UpsertsAndErasesSayWhatTheyFound) {
  const Handle<vicinal_index> index = c_index();
  const std::vector<float> first = vector_of(1);
  const std::vector<float> second = vector_of(1, 1);
  const auto upsert = [&](const std::vector<float>& vector) {
    vicinal_upsert_outcome outcome = -1;
    EXPECT_C_OK(vicinal_index_upsert(index.get(), 1, vector.data(), kDimension, &outcome));
    return outcome;
  };
  const auto erase = [&] {
    vicinal_erase_outcome outcome = -1;
    EXPECT_C_OK(vicinal_index_erase(index.get(), 1, &outcome));
    return outcome;
  };
  EXPECT_EQ(upsert(first), VICINAL_INSERTED);
  EXPECT_EQ(upsert(second), VICINAL_UPDATED);
  EXPECT_EQ(upsert(second), VICINAL_UNCHANGED);
  EXPECT_EQ(erase(), VICINAL_ERASED);
  EXPECT_EQ(erase(), VICINAL_ABSENT);
  EXPECT_EQ(upsert(second), VICINAL_RESURRECTED);
  EXPECT_C_OK(vicinal_index_upsert(index.get(), 2, first.data(), kDimension, nullptr));
  EXPECT_C_OK(vicinal_index_erase(index.get(), 2, nullptr));
  EXPECT_EQ(size_of(index.get()), 1u);
}

TEST(CIndex, BatchesCountByLabel) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 30);
  const std::vector<Label> labels = {3, 100, 5, 100, 4};
  std::vector<float> rows = matrix_of(labels);
  rows[0] += 1;  // label 3 has another vector now
  INITIALISED(batch_options, options);
  options.threads = 1;
  INITIALISED(batch_result, result);
  ASSERT_C_OK(vicinal_index_upsert_batch(index.get(), labels.data(), rows.data(), labels.size(),
                                         kDimension, &options, &result));
  EXPECT_EQ(result.inserted, 1u);
  EXPECT_EQ(result.updated, 1u);
  EXPECT_EQ(result.unchanged, 2u);
  EXPECT_EQ(result.resurrected, 0u);
  EXPECT_EQ(result.repeated, 1u);

  const std::vector<Label> gone = {3, 4, 77};
  std::uint64_t erased = 0;
  ASSERT_C_OK(vicinal_index_erase_batch(index.get(), gone.data(), gone.size(), &erased));
  EXPECT_EQ(erased, 2u);
  EXPECT_C_OK(vicinal_index_erase_batch(index.get(), gone.data(), gone.size(), nullptr));
  EXPECT_EQ(size_of(index.get()), 29u);
}

TEST(CIndex, NoRowsAreNoWork) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 5);
  INITIALISED(batch_result, result);
  result.inserted = 9;
  ASSERT_C_OK(vicinal_index_upsert_batch(index.get(), nullptr, nullptr, 0, 0, nullptr, &result));
  EXPECT_EQ(result.inserted, 0u);
  std::uint64_t erased = 9;
  ASSERT_C_OK(vicinal_index_erase_batch(index.get(), nullptr, 0, &erased));
  EXPECT_EQ(erased, 0u);
  EXPECT_EQ(size_of(index.get()), 5u);
}

TEST(CIndex, GetGivesTheBitsThatWereStored) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 10);
  std::vector<float> vector(kDimension);
  ASSERT_C_OK(vicinal_index_get(index.get(), 7, vector.data(), kDimension));
  EXPECT_EQ(vector, vector_of(7));
  bool live = false;
  ASSERT_C_OK(vicinal_index_contains(index.get(), 7, &live));
  EXPECT_TRUE(live);
  ASSERT_C_OK(vicinal_index_contains(index.get(), 10, &live));
  EXPECT_FALSE(live);
  std::uint32_t dimension = 0;
  ASSERT_C_OK(vicinal_index_dimension(index.get(), &dimension));
  EXPECT_EQ(dimension, kDimension);
}

TEST(CIndex, RefusesWithNumbersAndChangesNothing) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 10);
  std::vector<float> vector = vector_of(1);
  EXPECT_C(vicinal_index_upsert(index.get(), 1, vector.data(), 15, nullptr),
           VICINAL_INVALID_ARGUMENT, "dimension 15, index has 16");
  EXPECT_C(vicinal_index_get(index.get(), 1, vector.data(), 17), VICINAL_INVALID_ARGUMENT,
           "dimension 17, index has 16");
  EXPECT_C(vicinal_index_get(index.get(), 99, vector.data(), 16), VICINAL_NOT_FOUND, "label 99");
  EXPECT_EQ(vector, vector_of(1));
  vector[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_C(vicinal_index_upsert(index.get(), 1, vector.data(), 16, nullptr),
           VICINAL_INVALID_ARGUMENT, "component 3 is nan");
  const std::vector<Label> labels = {1, 2};
  std::vector<float> rows = matrix_of(labels);
  EXPECT_C(
      vicinal_index_upsert_batch(index.get(), labels.data(), rows.data(), 2, 8, nullptr, nullptr),
      VICINAL_INVALID_ARGUMENT, "dimension 8, index has 16");
  rows[16 + 2] = std::numeric_limits<float>::infinity();
  EXPECT_C(
      vicinal_index_upsert_batch(index.get(), labels.data(), rows.data(), 2, 16, nullptr, nullptr),
      VICINAL_INVALID_ARGUMENT, "row 1 (label 2): component 2 is inf");
  EXPECT_EQ(size_of(index.get()), 10u);
}

TEST(CIndex, CountsThatOverflowAreRefused) {
  const Handle<vicinal_index> index = c_index();
  const std::vector<float> vector = vector_of(1);
  const Label label = 1;
  const std::size_t rows = std::numeric_limits<std::size_t>::max() / 8;
  EXPECT_C(vicinal_index_upsert_batch(index.get(), &label, vector.data(), rows, kDimension, nullptr,
                                      nullptr),
           VICINAL_INVALID_ARGUMENT,
           "vectors: 2305843009213693951 rows of 16 are more than memory");
  EXPECT_C(vicinal_index_erase_batch(index.get(), &label, rows, nullptr), VICINAL_INVALID_ARGUMENT,
           "labels: 2305843009213693951 rows");
  EXPECT_C(vicinal_index_reserve(index.get(), ~0ull), VICINAL_INVALID_ARGUMENT, "reserve");
  EXPECT_EQ(size_of(index.get()), 0u);
}

TEST(CIndex, OptionsOutOfRangeAreRefusedAsTheyWereGiven) {
  const auto refused = [](auto change, const char* words) {
    vicinal_index_options options = small_c_options();
    change(options);
    vicinal_index* index = reinterpret_cast<vicinal_index*>(&options);
    EXPECT_C(vicinal_index_create(&options, &index), VICINAL_INVALID_ARGUMENT, words);
    EXPECT_EQ(index, nullptr);
  };
  refused([](vicinal_index_options& o) { o.dimension = 0; }, "dimension 0");
  refused([](vicinal_index_options& o) { o.metric = 256; }, "metric 256 is outside 0 to 2");
  refused([](vicinal_index_options& o) { o.metric = -1; }, "metric -1 is outside 0 to 2");
  refused([](vicinal_index_options& o) { o.quantization = 2; }, "quantization 2");
  refused([](vicinal_index_options& o) { o.M = 65; }, "M 65");
  refused([](vicinal_index_options& o) { o.repair_share = NAN; }, "repair_share nan");
  vicinal_index* index = nullptr;
  EXPECT_C(vicinal_index_create(nullptr, &index), VICINAL_INVALID_ARGUMENT, "dimension 0");
}

TEST(CIndex, OptionsInForceAreTold) {
  vicinal_index_options given = small_c_options(12);
  given.metric = VICINAL_INNER_PRODUCT;
  given.quantization = VICINAL_QUANTIZATION_NONE;
  given.seed = 99;
  given.rebuild_on_upsert = 1;
  given.repair_share = 0.5;
  given.ef_search = 33;
  given.reserve = 1000;
  const Handle<vicinal_index> index = c_index(given);
  INITIALISED(index_options, options);
  ASSERT_C_OK(vicinal_index_get_options(index.get(), &options));
  EXPECT_EQ(options.dimension, 12u);
  EXPECT_EQ(options.metric, VICINAL_INNER_PRODUCT);
  EXPECT_EQ(options.quantization, VICINAL_QUANTIZATION_NONE);
  EXPECT_EQ(options.seed, 99u);
  EXPECT_EQ(options.M, 8u);
  EXPECT_EQ(options.ef_construction, 60u);
  EXPECT_EQ(options.ef_search, 33u);
  EXPECT_EQ(options.rebuild_on_upsert, 1u);
  EXPECT_EQ(options.repair_share, 0.5);
  EXPECT_EQ(options.threads, 2u);
  ASSERT_C_OK(vicinal_index_reserve(index.get(), 5000));
}

TEST(CIndex, ForEachVisitsEveryLabelAndStopsWhenTold) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 600);
  std::map<Label, std::vector<float>> seen;
  const vicinal_vector_visitor keep = [](void* context, std::uint64_t label, const float* vector,
                                         std::size_t dimension) {
    auto& kept = *static_cast<std::map<Label, std::vector<float>>*>(context);
    kept[label].assign(vector, vector + dimension);
    return true;
  };
  ASSERT_C_OK(vicinal_index_for_each(index.get(), keep, &seen));
  EXPECT_EQ(seen.size(), 600u);
  for (const auto& [label, vector] : seen) ASSERT_EQ(vector, vector_of(label)) << label;

  int calls = 0;
  const vicinal_vector_visitor three = [](void* context, std::uint64_t, const float*, std::size_t) {
    return ++*static_cast<int*>(context) < 3;
  };
  ASSERT_C_OK(vicinal_index_for_each(index.get(), three, &calls));
  EXPECT_EQ(calls, 3);
}

TEST(CIndex, NodesShowTheirLinks) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 2000);
  ASSERT_C_OK(vicinal_index_erase(index.get(), 5, nullptr));
  struct Seen {
    std::set<Label> labels;
    std::uint64_t live = 0;
    std::uint64_t links = 0;
    std::uint32_t deepest = 0;
    bool well_formed = true;
  } seen;
  const vicinal_node_visitor look = [](void* context, const vicinal_node_view* node) {
    Seen& s = *static_cast<Seen*>(context);
    s.labels.insert(node->label);
    s.live += node->live;
    s.deepest = std::max(s.deepest, node->level);
    s.well_formed =
        s.well_formed && node->size == sizeof *node && node->link_levels == node->level + 1;
    for (std::uint32_t level = 0; level < node->link_levels; ++level) {
      s.links += node->link_counts[level];
      for (std::size_t i = 0; i < node->link_counts[level]; ++i) {
        s.well_formed = s.well_formed && node->links[level][i] < 2000 &&
                        node->link_nodes[level][i] != node->node;
      }
    }
    return true;
  };
  ASSERT_C_OK(vicinal_index_for_each_node(index.get(), look, &seen));
  EXPECT_TRUE(seen.well_formed);
  EXPECT_EQ(seen.labels.size(), 2000u);
  EXPECT_EQ(seen.live, 1999u);
  EXPECT_GE(seen.deepest, 1u);
  EXPECT_GE(seen.links, 2000u * 4);

  Seen one;
  ASSERT_C_OK(vicinal_index_node(index.get(), 17, look, &one));
  EXPECT_EQ(one.labels, std::set<Label>{17});
  EXPECT_TRUE(one.well_formed);
  EXPECT_C(vicinal_index_node(index.get(), 2000, look, &one), VICINAL_NOT_FOUND, "2000");
}

}  // namespace
}  // namespace vicinal::testing
