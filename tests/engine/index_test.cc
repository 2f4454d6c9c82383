// The Index in memory: outcomes, bad input, filters, radius, batches, erase and repair.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/engine/engine_testing.h"
#include "vicinal/cpu.h"

namespace vicinal::testing {
namespace {

TEST(Upsert, SaysWhatItDid) {
  for (const bool rebuild : {false, true}) {
    IndexOptions options = small_options();
    options.rebuild_on_upsert = rebuild;
    options.repair_share = 0;
    Index index = *Index::in_memory(options);
    EXPECT_EQ(*index.upsert(7, vector_of(7)), UpsertOutcome::kInserted);
    EXPECT_EQ(*index.upsert(7, vector_of(7)), UpsertOutcome::kUnchanged);
    EXPECT_EQ(*index.upsert(7, vector_of(7, 1)), UpsertOutcome::kUpdated);
    EXPECT_EQ(*index.get(7), vector_of(7, 1));
    EXPECT_EQ(*index.erase(7), EraseOutcome::kErased);
    EXPECT_EQ(*index.erase(7), EraseOutcome::kAbsent);
    EXPECT_FALSE(index.contains(7));
    EXPECT_CODE(index.get(7).status(), kNotFound, "no label 7");
    EXPECT_EQ(index.size(), 0u);
    EXPECT_EQ(*index.upsert(7, vector_of(7, 1)), UpsertOutcome::kResurrected);
    EXPECT_EQ(*index.erase(7), EraseOutcome::kErased);
    EXPECT_EQ(*index.upsert(7, vector_of(7, 2)), UpsertOutcome::kUpdated);
    EXPECT_EQ(index.size(), 1u);
    expect_sound(index);
  }
}

TEST(Upsert, AnyLabelAndExactBits) {
  Index index = *Index::in_memory(small_options());
  for (const Label label : {Label{0}, ~Label{0}, Label{1} << 63}) {
    std::vector<float> vector = vector_of(label);
    vector[5] = -0.0F;
    vector[6] = 1e-42F;
    ASSERT_TRUE(index.upsert(label, vector).ok());
    const std::vector<float> stored = *index.get(label);
    EXPECT_EQ(std::memcmp(stored.data(), vector.data(), sizeof(float) * kDimension), 0);
  }
  EXPECT_EQ(index.size(), 3u);
}

TEST(Batch, LastRowWinsAndCountsAdd) {
  Index index = filled(4);
  ASSERT_EQ(*index.erase(3), EraseOutcome::kErased);
  const std::vector<Label> labels = {0, 1, 9, 9, 3};
  std::vector<float> rows = matrix_of(std::vector<Label>{0, 50, 51, 52, 3});
  const Result<BatchResult> result = index.upsert_batch(labels, rows);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->unchanged, 1u);
  EXPECT_EQ(result->updated, 1u);
  EXPECT_EQ(result->inserted, 1u);
  EXPECT_EQ(result->resurrected, 1u);
  EXPECT_EQ(result->repeated, 1u);
  EXPECT_EQ(*index.get(9), vector_of(52));
  EXPECT_EQ(*index.get(1), vector_of(50));
  expect_sound(index);
}

TEST(Batch, BadRowIsNamedAndNothingChanges) {
  Index index = filled(4);
  const std::vector<Label> labels = {10, 11, 12};
  std::vector<float> rows = matrix_of(labels);
  rows[kDimension * 1 + 2] = std::nanf("");
  EXPECT_CODE(index.upsert_batch(labels, rows).status(), kInvalidArgument, "row 1 (label 11)");
  rows.pop_back();
  EXPECT_CODE(index.upsert_batch(labels, rows).status(), kInvalidArgument,
              "47 values for 3 rows of dimension 16");
  EXPECT_EQ(index.size(), 4u);
  EXPECT_TRUE(index.upsert_batch({}, {}).ok());
}

// E11
TEST(Batch, CancelKeepsWhatWasLinked) {
  Index index = filled(50);
  const std::vector<Label> labels = labels_up_to(2000);
  int calls = 0;
  BatchOptions options;
  options.progress = [&](const Progress&) { return ++calls < 1; };
  const Result<BatchResult> result = index.upsert_batch(labels, matrix_of(labels, 1), options);
  EXPECT_CODE(result.status(), kCancelled, "of 2000 vectors were linked");
  EXPECT_LT(index.size(), 2000u);
  EXPECT_GE(index.size(), 50u);
  std::uint64_t updated = 0;
  for (const Label label : labels) {
    const Result<std::vector<float>> stored = index.get(label);
    if (!stored) continue;
    EXPECT_TRUE(*stored == vector_of(label, 1) || (label < 50 && *stored == vector_of(label)));
    updated += *stored == vector_of(label, 1) ? 1 : 0;
  }
  EXPECT_NE(result.status().message().find(std::to_string(updated) + " of 2000"), std::string::npos)
      << result.status().message();
  expect_sound(index);
  ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels, 1)).ok());
  EXPECT_EQ(index.size(), 2000u);
  expect_sound(index);
}

TEST(Search, EdgesOfK) {
  Index empty = *Index::in_memory(small_options());
  const Result<SearchResult> none = empty.search(vector_of(1));
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->empty());
  EXPECT_EQ(none->counters.path, SearchPath::kEmpty);
  EXPECT_EQ(*empty.recall(), 1.0);
  expect_sound(empty);
  EXPECT_TRUE(empty.rebuild().ok());
  EXPECT_TRUE(empty.repair().ok());

  Index index = filled(20);
  EXPECT_EQ(index.search(vector_of(1), {.k = 0})->counters.path, SearchPath::kEmpty);
  EXPECT_TRUE(index.search(vector_of(1), {.k = 0})->empty());
  EXPECT_EQ(index.search(vector_of(1), {.k = 100, .ef_search = 1})->size(), 20u);
  EXPECT_EQ(index.search(vector_of(1), {.k = ~std::size_t{0}})->size(), 20u);
  EXPECT_EQ((*index.search(vector_of(1), {.k = 1}))[0].label, 1u);
}

TEST(Search, AgreesWithExactAndIntoAndBatch) {
  Index index = filled(1000);
  std::vector<float> queries;
  for (Label label = 5000; label < 5020; ++label) {
    const std::vector<float> query = vector_of(label);
    queries.insert(queries.end(), query.begin(), query.end());
  }
  const auto batch = index.search_batch(queries, {.k = 10, .ef_search = 200}, 2);
  ASSERT_TRUE(batch.ok());
  std::size_t agreeing = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    const auto query = std::span(queries).subspan(i * kDimension, kDimension);
    const SearchResult one = *index.search(query, {.k = 10, .ef_search = 200});
    EXPECT_EQ(one.hits, (*batch)[i].hits);
    std::vector<Hit> into(10);
    EXPECT_EQ(*index.search_into(query, {.ef_search = 200}, into), 10u);
    EXPECT_EQ(into, one.hits);
    const SearchResult exact = *index.search(query, {.k = 10, .exact = true});
    EXPECT_EQ(exact.counters.path, SearchPath::kExactScan);
    for (std::size_t j = 0; j < 10; ++j) agreeing += one[j].label == exact[j].label ? 1 : 0;
  }
  EXPECT_GE(agreeing, 196u);
  EXPECT_GE(*index.recall({.samples = 100, .ef_search = 200}), 0.98);
  queries[kDimension * 3] = std::nanf("");
  EXPECT_CODE(index.search_batch(queries).status(), kInvalidArgument, "row 3");
  queries.pop_back();
  EXPECT_FALSE(index.search_batch(queries).ok());
}

TEST(Filters, PredicateAndLabelSet) {
  Index index = filled(1000);
  SearchOptions even{.k = 10, .filter = Filter::by([](Label l) { return l % 2 == 0; })};
  const SearchResult found = *index.search(vector_of(7), even);
  EXPECT_EQ(found.size(), 10u);
  for (const Hit& hit : found) EXPECT_EQ(hit.label % 2, 0u);

  const LabelSet five_to_seven(std::vector<Label>{5, 6, 7, 7, 5, 99999});
  SearchOptions few{.k = 10, .filter = Filter::among(five_to_seven)};
  const SearchResult listed = *index.search(vector_of(7), few);
  ASSERT_EQ(listed.size(), 3u);
  EXPECT_EQ(listed[0].label, 7u);
  EXPECT_EQ(listed.counters.path, SearchPath::kExactScan);

  SearchOptions nothing{.k = 10, .filter = Filter::among({})};
  EXPECT_TRUE(index.search(vector_of(7), nothing)->empty());
  SearchOptions both = even;
  both.filter.labels = five_to_seven;
  const SearchResult six = *index.search(vector_of(7), both);
  ASSERT_EQ(six.size(), 1u);
  EXPECT_EQ(six[0].label, 6u);
  SearchOptions all_but{.k = 10, .filter = Filter::among(~five_to_seven)};
  const SearchResult others = *index.search(vector_of(7), all_but);
  EXPECT_EQ(others.size(), 10u);
  for (const Hit& hit : others) EXPECT_FALSE(five_to_seven.contains(hit.label));
  SearchOptions rare{.k = 3, .filter = Filter::by([](Label l) { return l % 400 == 1; })};
  EXPECT_EQ(index.search(vector_of(7), rare)->size(), 3u);

  // A predicate that searches by itself must not disturb the search it serves.
  SearchOptions nested{.k = 5, .filter = Filter::by([&](Label l) {
                                 return (*index.search(vector_of(l), {.k = 1}))[0].label == l;
                               })};
  EXPECT_EQ(index.search(vector_of(7), nested)->hits, index.search(vector_of(7), {.k = 5})->hits);
}

TEST(Radius, FindsWhatIsWithin) {
  Index index = filled(500);
  const SearchResult all = *index.search(vector_of(3), {.k = 500, .exact = true});
  const float radius = all[20].distance;
  const RadiusResult exact = *index.search_radius(vector_of(3), radius, {.exact = true});
  EXPECT_FALSE(exact.cut);
  EXPECT_EQ(exact.size(), 21u);
  const RadiusResult walked = *index.search_radius(vector_of(3), radius, {.ef_search = 200});
  EXPECT_GE(walked.size(), 20u);
  for (const Hit& hit : walked) EXPECT_LE(hit.distance, radius);
  const RadiusResult four = *index.search_radius(vector_of(3), radius, {.max_hits = 4});
  EXPECT_EQ(four.size(), 4u);
  EXPECT_TRUE(four.cut);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(four[i], exact[i]);
  for (const std::size_t most : {std::size_t{21}, std::size_t{22}, std::size_t{1} << 60}) {
    const RadiusResult whole =
        *index.search_radius(vector_of(3), radius, {.max_hits = most, .exact = true});
    EXPECT_EQ(whole.hits, exact.hits) << most;
    EXPECT_FALSE(whole.cut) << most;
  }
  EXPECT_TRUE(index.search_radius(vector_of(3), radius, {.max_hits = 20, .exact = true})->cut);
  EXPECT_FALSE(index.search_radius(vector_of(3), std::nanf("")).ok());
  const LabelSet two(std::vector<Label>{3, 4});
  EXPECT_EQ(index.search_radius(vector_of(3), 1e-3F, {.filter = Filter::among(two)})->size(), 1u);
}

TEST(Erase, EverythingAndBackAgain) {
  Index index = filled(600);
  const std::vector<Label> labels = labels_up_to(600);
  EXPECT_EQ(*index.erase_batch(labels), 600u);
  EXPECT_EQ(*index.erase_batch(labels), 0u);
  EXPECT_EQ(index.size(), 0u);
  EXPECT_TRUE(index.search(vector_of(1))->empty());
  const Result<RepairResult> repaired = index.repair();
  ASSERT_TRUE(repaired.ok());
  EXPECT_TRUE(repaired->finished);
  EXPECT_EQ(index.stats().tombstones, 0u);
  ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels)).ok());
  EXPECT_EQ(index.size(), 600u);
  EXPECT_LE(index.stats().live + index.stats().free_slots, 1200u);
  expect_sound(index);
}

TEST(Repair, ByItselfAndBySlices) {
  Index index = filled(1000);
  for (Label label = 0; label < 900; ++label) ASSERT_EQ(*index.erase(label), EraseOutcome::kErased);
  EXPECT_LT(index.stats().tombstones, 900u) << "writes repair once a share is dead";
  int slices = 0;
  while (true) {
    const Result<RepairResult> slice = index.repair({.slice = 100});
    ASSERT_TRUE(slice.ok());
    EXPECT_LE(slice->nodes_examined, 100u);
    ASSERT_LT(++slices, 1000);
    if (slice->finished && index.stats().tombstones == 0) break;
  }
  EXPECT_EQ(index.stats().live, 100u);
  expect_sound(index);
  for (Label label = 900; label < 1000; ++label) {
    EXPECT_EQ((*index.search(vector_of(label), {.k = 1}))[0].label, label);
  }
}

// All rows are replaced three times: tombstones come as fast as they can.
void expect_repair_keeps_up(std::size_t batch) {
  constexpr std::size_t kCount = 1000;
  Index index = filled(kCount);
  for (std::uint64_t generation = 1; generation <= 3; ++generation) {
    for (Label first = 0; first < kCount; first += batch) {
      const std::vector<Label> labels = labels_up_to(batch, first);
      const std::vector<float> rows = matrix_of(labels, generation);
      ASSERT_OK(batch == 1 ? index.upsert(first, rows).status()
                           : index.upsert_batch(labels, rows).status());
      if (first % 40 != 0) continue;
      const Stats stats = index.stats();
      const auto all = static_cast<double>(stats.live + stats.tombstones);
      ASSERT_LT(static_cast<double>(stats.tombstones), (stats.options.repair_share + 0.15) * all)
          << "generation " << generation << " row " << first;
    }
  }
  expect_sound(index);
}

TEST(Repair, KeepsUpWithSingleWrites) { expect_repair_keeps_up(1); }
TEST(Repair, KeepsUpWithBatches) { expect_repair_keeps_up(40); }

TEST(Repair, AWholeOneSeesWhatWasErasedBehindAnOpenPass) {
  IndexOptions options = small_options();
  options.repair_share = 0;
  Index index = filled(1000, options);
  ASSERT_OK(index.erase_batch(labels_up_to(200)).status());
  ASSERT_OK(index.repair({.slice = 300}).status());
  ASSERT_OK(index.erase_batch(labels_up_to(200, 500)).status());
  const Result<RepairResult> repaired = index.repair();
  ASSERT_OK(repaired.status());
  EXPECT_TRUE(repaired->finished);
  EXPECT_EQ(index.stats().tombstones, 0u);
  EXPECT_EQ(index.size(), 600u);
  expect_sound(index);
}

TEST(Rebuild, LeavesOnlyTheLive) {
  Index index = filled(1000);
  const std::vector<Label> half = labels_up_to(150);
  ASSERT_TRUE(index.erase_batch(half).ok());
  ASSERT_OK(index.rebuild());
  EXPECT_EQ(index.stats().tombstones, 0u);
  EXPECT_EQ(index.size(), 850u);
  expect_sound(index);
  BatchOptions cancel;
  cancel.progress = [](const Progress&) { return false; };
  EXPECT_CODE(index.rebuild(cancel), kCancelled, "");
  expect_sound(index);
}

TEST(Walks, EveryLabelOnceAndLinksAsLabels) {
  Index index = filled(100);
  ASSERT_EQ(*index.erase(5), EraseOutcome::kErased);
  std::size_t seen = 0;
  ASSERT_OK(index.for_each([&](Label label, std::span<const float> vector) {
    ++seen;
    EXPECT_TRUE(std::equal(vector.begin(), vector.end(), vector_of(label).begin()));
    // Writing from the visitor is allowed.
    EXPECT_TRUE(index.upsert(label + 1000, vector_of(label + 1000)).ok());
    return true;
  }));
  EXPECT_GE(seen, 99u);
  const Result<Index::NodeView> view = index.node(7);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->label, 7u);
  EXPECT_EQ(view->links.size(), view->level + 1);
  EXPECT_FALSE(view->links[0].empty());
  EXPECT_CODE(index.node(5).status(), kNotFound, "5");
  std::size_t dead = 0;
  ASSERT_OK(index.for_each_node([&](const Index::NodeView& node) {
    dead += node.live ? 0 : 1;
    return true;
  }));
  EXPECT_EQ(dead, 1u);
}

TEST(Cpu, TargetsAndVersion) {
  EXPECT_FALSE(cpu_targets().empty());
  EXPECT_FALSE(force_cpu_target("no such target").ok());
  EXPECT_FALSE(version().empty());
}

TEST(Build, SameBytesAtAnyNumberOfThreads) {
  const std::vector<Label> labels = labels_up_to(1500);
  std::vector<std::vector<std::vector<std::uint32_t>>> links[2];
  for (const unsigned threads : {1u, 3u}) {
    Index index = *Index::in_memory(small_options());
    ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels), {.threads = threads}).ok());
    ASSERT_OK(index.for_each_node([&](const Index::NodeView& node) {
      links[threads == 1 ? 0 : 1].push_back(node.link_nodes);
      return true;
    }));
  }
  EXPECT_EQ(links[0], links[1]);
}

}  // namespace
}  // namespace vicinal::testing
