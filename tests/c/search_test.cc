// Searches through the C ABI: the C++ API's answers in the caller's arrays.
#include <array>
#include <cmath>
#include <limits>

#include "tests/c/c_testing.h"

namespace vicinal::testing {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr Label kNone = std::numeric_limits<Label>::max();

/// The same 1,200 vectors behind both APIs: a batch of the same seed makes the same graph.
struct Both {
  Both() : cpp(filled(1200)), c(c_index()) { fill(c.get(), 1200); }
  Index cpp;
  Handle<vicinal_index> c;
};

bool is_even(void*, std::uint64_t label) { return label % 2 == 0; }

TEST(CSearch, OddKGivesWhatTheCppApiGives) {
  const Both both;
  INITIALISED(search_counters, counters);
  for (const std::size_t k : {1u, 7u, 127u, 128u, 129u, 501u}) {
    const std::vector<float> query = vector_of(5000 + k);
    const Result<SearchResult> expected = both.cpp.search(query, {.k = k});
    ASSERT_TRUE(expected.ok());
    std::vector<Label> labels(k + 1, 4711);
    std::vector<float> distances(k + 1, 4711);
    std::size_t found = 0;
    ASSERT_C_OK(vicinal_index_search(both.c.get(), query.data(), kDimension, k, nullptr,
                                     labels.data(), distances.data(), &found, &counters));
    ASSERT_EQ(found, k);
    ASSERT_EQ(expected->size(), k);
    for (std::size_t i = 0; i < k; ++i) {
      ASSERT_EQ(labels[i], (*expected)[i].label) << k << " " << i;
      ASSERT_EQ(distances[i], (*expected)[i].distance) << k << " " << i;
    }
    EXPECT_EQ(labels[k], 4711u);
    EXPECT_EQ(distances[k], 4711);
    EXPECT_EQ(counters.distances, expected->counters.distances);
    EXPECT_EQ(counters.nodes_visited, expected->counters.nodes_visited);
    EXPECT_EQ(counters.path, static_cast<int>(expected->counters.path));
  }
}

TEST(CSearch, TakesARecallAndLimitsAndGoesOn) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 3000);
  const std::vector<float> query = vector_of(50'000);
  std::array<Label, 20> labels{};
  std::array<float, 20> distances{};
  std::size_t found = 0;
  INITIALISED(search_options, options);
  INITIALISED(search_counters, counters);
  const auto search = [&](std::size_t k) {
    return vicinal_index_search(index.get(), query.data(), kDimension, k, &options, labels.data(),
                                distances.data(), &found, &counters);
  };
  options.recall = 0.9;
  ASSERT_C_OK(search(10));
  EXPECT_EQ(found, 10u);
  EXPECT_GE(counters.ef_search, 10u);
  EXPECT_GT(counters.row_bytes, counters.distances * kDimension);
  EXPECT_EQ(counters.stopped, 0u);
  options.recall = 1;
  ASSERT_C_OK(search(20));
  EXPECT_EQ(counters.path, VICINAL_PATH_EXACT_SCAN);
  const std::array<Label, 20> nearest = labels;

  // All of them, ten and then ten.
  options.ef_search = 3000;
  ASSERT_C_OK(search(10));
  ASSERT_C_OK(vicinal_index_more(index.get(), query.data(), kDimension, labels.data(), 10, 10,
                                 &options, labels.data() + 10, nullptr, &found, &counters));
  EXPECT_EQ(found, 10u);
  EXPECT_EQ(labels, nearest);

  options.max_distances = 100;
  ASSERT_C_OK(search(10));
  EXPECT_EQ(counters.stopped, 1u);
  options.max_distances = 0;
  options.timeout_us = UINT64_MAX;
  ASSERT_C_OK(search(10));
  EXPECT_EQ(counters.stopped, 0u);
  options.recall = 2;
  EXPECT_C(search(10), VICINAL_INVALID_ARGUMENT, "recall 2: must lie in 0 to 1");

  std::array<std::size_t, 64> efs{};
  std::array<double, 64> recalls{};
  std::size_t count = 0;
  std::uint64_t own = 0;
  ASSERT_C_OK(vicinal_index_expected_recall(index.get(), 10, efs.data(), recalls.data(), 64, &count,
                                            &own, nullptr));
  ASSERT_GT(count, 3u);
  EXPECT_EQ(efs[0], 10u);
  EXPECT_GT(recalls[count - 1], 0.95);
  EXPECT_EQ(recalls[count], 0);
  EXPECT_GE(own, 64u);
  EXPECT_C(vicinal_index_expected_recall(index.get(), 0, nullptr, nullptr, 0, &count, &own, &own),
           VICINAL_INVALID_ARGUMENT, "k 0");
}

TEST(CSearch, FewerThanKLeaveTheRestAlone) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 5);
  const std::vector<float> query = vector_of(2);
  for (const std::size_t k : {9u, 400u}) {
    std::vector<Label> labels(k, 4711);
    std::vector<float> distances(k, 4711);
    std::size_t found = 0;
    ASSERT_C_OK(vicinal_index_search(index.get(), query.data(), kDimension, k, nullptr,
                                     labels.data(), distances.data(), &found, nullptr));
    EXPECT_EQ(found, 5u);
    EXPECT_EQ(labels[0], 2u);
    for (std::size_t i = 5; i < k; ++i) {
      EXPECT_EQ(labels[i], 4711u);
      EXPECT_EQ(distances[i], 4711);
    }
  }
}

TEST(CSearch, KOfZeroAndNoDistancesAreFine) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 5);
  const std::vector<float> query = vector_of(2);
  std::size_t found = 9;
  INITIALISED(search_counters, counters);
  ASSERT_C_OK(vicinal_index_search(index.get(), query.data(), kDimension, 0, nullptr, nullptr,
                                   nullptr, &found, &counters));
  EXPECT_EQ(found, 0u);
  EXPECT_EQ(counters.path, VICINAL_PATH_EMPTY);
  Label label = 0;
  ASSERT_C_OK(vicinal_index_search(index.get(), query.data(), kDimension, 1, nullptr, &label,
                                   nullptr, &found, nullptr));
  EXPECT_EQ(found, 1u);
  EXPECT_EQ(label, 2u);
}

TEST(CSearch, EveryOptionDoesWhatItSays) {
  const Both both;
  const std::vector<float> query = vector_of(9999);
  std::vector<Label> labels(20);
  std::size_t found = 0;
  INITIALISED(search_options, options);
  INITIALISED(search_counters, counters);
  const auto search = [&] {
    return vicinal_index_search(both.c.get(), query.data(), kDimension, labels.size(), &options,
                                labels.data(), nullptr, &found, &counters);
  };
  const auto expect_as = [&](const SearchOptions& same) {
    ASSERT_C_OK(search());
    const Result<SearchResult> expected = both.cpp.search(query, same);
    ASSERT_EQ(found, expected->size());
    for (std::size_t i = 0; i < found; ++i) ASSERT_EQ(labels[i], (*expected)[i].label) << i;
    EXPECT_EQ(counters.path, static_cast<int>(expected->counters.path));
  };
  options.ef_search = 300;
  expect_as({.k = 20, .ef_search = 300});
  options.exact = 1;
  expect_as({.k = 20, .exact = true});
  EXPECT_EQ(counters.path, VICINAL_PATH_EXACT_SCAN);
  options.exact = 0;

  options.predicate = is_even;
  expect_as({.k = 20, .ef_search = 300, .filter = Filter::by([](Label l) { return l % 2 == 0; })});
  for (const Label label : labels) EXPECT_EQ(label % 2, 0u);

  const std::vector<Label> allowed = {1, 2, 3, 4, 5, 6, 7};
  vicinal_label_set* made = nullptr;
  ASSERT_C_OK(vicinal_label_set_create(allowed.data(), allowed.size(), &made));
  const Handle<vicinal_label_set> set(made);
  options.labels = set.get();
  ASSERT_C_OK(search());
  EXPECT_EQ(found, 3u) << "both count: 2, 4, 6";
  options.predicate = nullptr;
  ASSERT_C_OK(search());
  EXPECT_EQ(found, 7u);
}

TEST(CSearch, APredicateGetsItsContextAndMayCallTheIndex) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 300);
  struct Context {
    vicinal_index* index;
    std::uint64_t calls = 0;
    std::uint64_t inside = 0;
  } context{index.get()};
  INITIALISED(search_options, options);
  options.predicate_context = &context;
  options.predicate = [](void* given, std::uint64_t label) {
    Context& c = *static_cast<Context*>(given);
    ++c.calls;
    const std::vector<float> query = vector_of(label);
    Label nearest = 0;
    std::size_t found = 0;
    if (vicinal_index_search(c.index, query.data(), kDimension, 1, nullptr, &nearest, nullptr,
                             &found, nullptr) == VICINAL_OK) {
      c.inside += nearest == label;
    }
    return label < 10;
  };
  const std::vector<float> query = vector_of(4);
  std::vector<Label> labels(3);
  std::size_t found = 0;
  ASSERT_C_OK(vicinal_index_search(index.get(), query.data(), kDimension, 3, &options,
                                   labels.data(), nullptr, &found, nullptr));
  EXPECT_EQ(found, 3u);
  EXPECT_EQ(labels[0], 4u);
  EXPECT_GT(context.calls, 0u);
  EXPECT_EQ(context.inside, context.calls);
}

TEST(CSearch, RefusesWithNumbersAndWritesNothing) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 10);
  std::vector<float> query = vector_of(1);
  Label label = 4711;
  float distance = 4711;
  std::size_t found = 4711;
  INITIALISED(search_options, options);
  const auto search = [&](std::size_t dimension) {
    return vicinal_index_search(index.get(), query.data(), dimension, 1, &options, &label,
                                &distance, &found, nullptr);
  };
  EXPECT_C(search(3), VICINAL_INVALID_ARGUMENT, "dimension 3, index has 16");
  options.ef_search = 100001;
  EXPECT_C(search(16), VICINAL_INVALID_ARGUMENT, "ef_search 100001");
  options.ef_search = 0;
  query.assign(16, 0.0F);
  EXPECT_C(search(16), VICINAL_INVALID_ARGUMENT, "norm 0");
  EXPECT_EQ(label, 4711u);
  EXPECT_EQ(distance, 4711);
  EXPECT_EQ(found, 4711u);
}

TEST(CSearchBatch, RowsAreTheSearchesAndTheirTailsAreMarked) {
  const Both both;
  constexpr std::size_t kRows = 13;
  constexpr std::size_t kK = 7;
  const std::vector<float> queries = matrix_of(labels_up_to(kRows, 8000));
  INITIALISED(search_options, options);
  const std::vector<Label> allowed = {1, 2, 3, 4, 5};
  vicinal_label_set* made = nullptr;
  ASSERT_C_OK(vicinal_label_set_create(allowed.data(), allowed.size(), &made));
  const Handle<vicinal_label_set> set(made);
  for (const bool filtered : {false, true}) {
    options.labels = filtered ? set.get() : nullptr;
    SearchOptions same{.k = kK};
    if (filtered) same.filter = Filter::among(LabelSet(allowed));
    const auto expected = both.cpp.search_batch(queries, same);
    ASSERT_TRUE(expected.ok());
    std::vector<Label> labels(kRows * kK, 4711);
    std::vector<float> distances(kRows * kK, 4711);
    std::vector<std::size_t> counts(kRows, 4711);
    std::vector<vicinal_search_counters> counters(kRows);
    for (auto& c : counters) ASSERT_C_OK(vicinal_search_counters_init(&c, sizeof c));
    ASSERT_C_OK(vicinal_index_search_batch(both.c.get(), queries.data(), kRows, kDimension, kK,
                                           &options, 2, labels.data(), distances.data(),
                                           counts.data(), counters.data()));
    for (std::size_t row = 0; row < kRows; ++row) {
      const SearchResult& result = (*expected)[row];
      ASSERT_EQ(counts[row], result.size());
      ASSERT_EQ(counts[row], filtered ? 5u : kK);
      for (std::size_t i = 0; i < kK; ++i) {
        const bool hit = i < result.size();
        ASSERT_EQ(labels[row * kK + i], hit ? result[i].label : kNone);
        ASSERT_EQ(distances[row * kK + i], hit ? result[i].distance : kInfinity);
      }
      ASSERT_EQ(counters[row].distances, result.counters.distances);
      ASSERT_EQ(counters[row].size, sizeof(vicinal_search_counters));
    }
    std::vector<Label> alone(kRows * kK);
    ASSERT_C_OK(vicinal_index_search_batch(both.c.get(), queries.data(), kRows, kDimension, kK,
                                           &options, 0, alone.data(), nullptr, nullptr, nullptr));
    EXPECT_EQ(alone, labels);
  }
}

TEST(CSearchBatch, NoRowsAndKOfZero) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 10);
  ASSERT_C_OK(vicinal_index_search_batch(index.get(), nullptr, 0, kDimension, 5, nullptr, 0,
                                         nullptr, nullptr, nullptr, nullptr));
  const std::vector<float> queries = matrix_of(labels_up_to(2));
  std::vector<std::size_t> counts(2, 4711);
  ASSERT_C_OK(vicinal_index_search_batch(index.get(), queries.data(), 2, kDimension, 0, nullptr, 0,
                                         nullptr, nullptr, counts.data(), nullptr));
  EXPECT_EQ(counts, std::vector<std::size_t>(2, 0));
}

TEST(CSearchBatch, RefusesWithNumbersAndWritesNothing) {
  const Handle<vicinal_index> index = c_index();
  fill(index.get(), 10);
  std::vector<float> queries = matrix_of(labels_up_to(4));
  std::vector<Label> labels(8, 4711);
  const auto search = [&](std::size_t rows, std::size_t dimension, std::size_t k,
                          std::uint32_t threads, vicinal_search_counters* counters) {
    return vicinal_index_search_batch(index.get(), queries.data(), rows, dimension, k, nullptr,
                                      threads, labels.data(), nullptr, nullptr, counters);
  };
  // 4 x 16 components would also be 8 rows of 8.
  EXPECT_C(search(8, 8, 1, 0, nullptr), VICINAL_INVALID_ARGUMENT, "dimension 8, index has 16");
  EXPECT_C(search(4, 16, 2, 5000, nullptr), VICINAL_INVALID_ARGUMENT, "threads 5000");
  const std::size_t huge = std::numeric_limits<std::size_t>::max();
  EXPECT_C(search(huge, 16, 2, 0, nullptr), VICINAL_INVALID_ARGUMENT, "queries: ");
  EXPECT_C(search(4, 16, huge / 2, 0, nullptr), VICINAL_INVALID_ARGUMENT,
           "labels: 4 rows of 9223372036854775807 are more than memory");
  vicinal_search_counters counters[4] = {};
  EXPECT_C(search(4, 16, 2, 0, counters), VICINAL_INVALID_ARGUMENT,
           "size 0 of vicinal_search_counters");
  queries[16 * 3 + 5] = NAN;
  EXPECT_C(search(4, 16, 2, 0, nullptr), VICINAL_INVALID_ARGUMENT, "row 3: component 5 is nan");
  EXPECT_EQ(labels, std::vector<Label>(8, 4711));
}

TEST(CRadius, GivesAllWithinAndSaysWhenItIsCut) {
  const Both both;
  const std::vector<float> query = vector_of(77);
  INITIALISED(radius_options, options);
  INITIALISED(search_counters, counters);
  options.exact = 1;
  const auto search = [&](float radius) {
    vicinal_hits* hits = nullptr;
    EXPECT_C_OK(vicinal_index_search_radius(both.c.get(), query.data(), kDimension, radius,
                                            &options, &hits, &counters));
    return Handle<vicinal_hits>(hits);
  };
  const Result<RadiusResult> expected = both.cpp.search_radius(query, 0.6F, {.exact = true});
  ASSERT_TRUE(expected.ok());
  ASSERT_GT(expected->size(), 3u);
  Handle<vicinal_hits> hits = search(0.6F);
  ASSERT_EQ(vicinal_hits_count(hits.get()), expected->size());
  EXPECT_FALSE(vicinal_hits_cut(hits.get()));
  for (std::size_t i = 0; i < expected->size(); ++i) {
    EXPECT_EQ(vicinal_hits_labels(hits.get())[i], (*expected)[i].label);
    EXPECT_EQ(vicinal_hits_distances(hits.get())[i], (*expected)[i].distance);
  }
  EXPECT_EQ(counters.path, VICINAL_PATH_EXACT_SCAN);
  options.max_hits = 3;
  hits = search(0.6F);
  EXPECT_EQ(vicinal_hits_count(hits.get()), 3u);
  EXPECT_TRUE(vicinal_hits_cut(hits.get()));
  options.max_hits = 0;
  options.predicate = is_even;
  hits = search(0.6F);
  for (std::size_t i = 0; i < vicinal_hits_count(hits.get()); ++i) {
    EXPECT_EQ(vicinal_hits_labels(hits.get())[i] % 2, 0u);
  }
  hits = search(-1);
  EXPECT_EQ(vicinal_hits_count(hits.get()), 0u);

  vicinal_hits* none = hits.get();
  EXPECT_C(vicinal_index_search_radius(both.c.get(), query.data(), kDimension, NAN, nullptr, &none,
                                       nullptr),
           VICINAL_INVALID_ARGUMENT, "radius is not a number");
  EXPECT_EQ(none, nullptr);
  EXPECT_EQ(vicinal_hits_count(nullptr), 0u);
  EXPECT_EQ(vicinal_hits_labels(nullptr), nullptr);
  EXPECT_EQ(vicinal_hits_distances(nullptr), nullptr);
  EXPECT_FALSE(vicinal_hits_cut(nullptr));
}

}  // namespace
}  // namespace vicinal::testing
