// Storage: what an index answers when vectors are stored as float16 or int8, in every state that it
// can be in.
#include <algorithm>
#include <cmath>
#include <set>

#include "tests/engine/storage_support.h"
#include "tests/engine/stream_support.h"

namespace vicinal::testing {
namespace {

std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  return std::string(storage_name(info.param.storage)) + "_over_" +
         quantization_name(info.param.quantization) + "_" + metric_name(info.param.metric);
}

double oracle(Metric metric, std::span<const float> a, std::span<const float> b) {
  double dot = 0;
  double aa = 0;
  double bb = 0;
  double l2 = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += double{a[i]} * b[i];
    aa += double{a[i]} * a[i];
    bb += double{b[i]} * b[i];
    l2 += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  }
  if (metric == Metric::kSquaredL2) return l2;
  return metric == Metric::kCosine ? 1 - dot / std::sqrt(aa * bb) : 1 - dot;
}

/// The farthest that a component may lie from what was given.
float error_of(Storage storage, std::span<const float> vector) {
  float largest = 0;
  for (const float x : vector) largest = std::max(largest, std::fabs(x));
  return storage == Storage::kFloat16 ? largest * 0x1p-11F : largest / 127 * 0.503F;
}

class StorageTest : public ::testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(
    Types, StorageTest,
    ::testing::Values(Case{Storage::kFloat16, Quantization::kInt8, Metric::kCosine},
                      Case{Storage::kFloat16, Quantization::kNone, Metric::kSquaredL2},
                      Case{Storage::kInt8, Quantization::kInt8, Metric::kCosine},
                      Case{Storage::kInt8, Quantization::kInt8, Metric::kSquaredL2},
                      Case{Storage::kInt8, Quantization::kInt8, Metric::kInnerProduct},
                      Case{Storage::kInt8, Quantization::kNone, Metric::kCosine}),
    name_of);

TEST_P(StorageTest, GetAnswersWhatIsStoredAndThatIsUnchanged_G18) {
  Index index = *Index::in_memory(options_of(GetParam()));
  const std::vector<float> vector = near_center(1);
  EXPECT_EQ(*index.upsert(1, vector), UpsertOutcome::kInserted);
  EXPECT_EQ(*index.upsert(1, vector), UpsertOutcome::kUnchanged);
  const std::vector<float> got = *index.get(1);
  EXPECT_NE(got, vector);
  const float most = error_of(GetParam().storage, vector);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], vector[i], most) << i;
  EXPECT_EQ(*index.upsert(1, got), UpsertOutcome::kUnchanged);
  std::vector<float> close = vector;  // rounds to the same
  close[5] = std::nextafter(close[5], 0.0F);
  EXPECT_EQ(*index.upsert(1, close), UpsertOutcome::kUnchanged);
  const auto batch = index.upsert_batch(std::vector<Label>{1}, close);
  EXPECT_EQ(batch->unchanged, 1u);
  EXPECT_EQ(*index.erase(1), EraseOutcome::kErased);
  EXPECT_EQ(*index.upsert(1, got), UpsertOutcome::kResurrected);
  EXPECT_EQ(*index.upsert(1, near_center(2)), UpsertOutcome::kUpdated);
  EXPECT_CODE(index.get(9).status(), kNotFound, "no label 9");
  EXPECT_CODE(index.get_stored(9).status(), kNotFound, "no label 9");
}

TEST_P(StorageTest, RecallAndDistancesAreThoseOfTheStoredVectors) {
  const Case& c = GetParam();
  const std::vector<Label> labels = labels_up_to(2000);
  Index index = *Index::in_memory(options_of(c));
  ASSERT_TRUE(index.upsert_batch(labels, rows_near_centers(labels)).ok());
  expect_sound(index);
  std::vector<std::vector<float>> stored;
  for (const Label label : labels) stored.push_back(*index.get(label));
  std::size_t hits = 0;
  for (Label q = 5000; q < 5050; ++q) {
    const std::vector<float> query = near_center(q);
    std::vector<std::pair<double, Label>> truth;
    for (const Label label : labels)
      truth.emplace_back(oracle(c.metric, query, stored[label]), label);
    std::sort(truth.begin(), truth.end());
    std::set<Label> nearest;
    for (std::size_t i = 0; i < 10; ++i) nearest.insert(truth[i].second);
    const auto exact = index.search(query, {.k = 10, .exact = true});
    for (std::size_t i = 0; i < 10; ++i) {
      const Hit& hit = exact->hits[i];
      ASSERT_NEAR(hit.distance, truth[i].first, 2e-5 * (1 + std::fabs(truth[i].first)));
    }
    for (const Hit& hit : *index.search(query, {.k = 10, .ef_search = 80})) {
      const double distance = oracle(c.metric, query, stored[hit.label]);
      ASSERT_NEAR(hit.distance, distance, 2e-5 * (1 + std::fabs(distance)));
      hits += nearest.contains(hit.label) ? 1 : 0;
    }
  }
  EXPECT_GE(static_cast<double>(hits) / 500, 0.97);
}

TEST_P(StorageTest, GrowsFromFlatIsRepairedRebuiltAndCopied) {
  const Case& c = GetParam();
  IndexOptions options = options_of(c);
  options.reserve = 0;
  Index index = *Index::in_memory(options);
  for (Label label = 0; label < 700; ++label) {
    ASSERT_TRUE(index.upsert(label, near_center(label)).ok());
    if (label == 300) {
      EXPECT_TRUE(index.stats().flat);
      EXPECT_EQ(index.search(*index.get(17), {.k = 1})->hits[0].label, 17u);
    }
  }
  EXPECT_FALSE(index.stats().flat);
  // Copies, and under cosine vectors of another length, are values that a walk cannot tell apart.
  std::vector<float> one = near_center(3000);
  for (Label label = 1000; label < 1200; ++label) {
    if (label == 1100) {
      for (float& x : one) x *= 2;
    }
    ASSERT_TRUE(index.upsert(label, one).ok());
  }
  const auto copies = index.search(one, {.k = 200});
  std::size_t found = 0;
  for (const Hit& hit : *copies) found += hit.label >= 1000 ? 1 : 0;
  if (c.metric == Metric::kCosine) {
    EXPECT_EQ(found, 200u);
  } else {
    EXPECT_GE(found, 100u);
  }
  for (Label label = 0; label < 700; label += 2) ASSERT_TRUE(index.erase(label).ok());
  ASSERT_TRUE(index.repair().ok());
  expect_sound(index);
  ASSERT_OK(index.rebuild());
  expect_sound(index);
  if (c.metric == Metric::kInnerProduct) return;  // no vector need be its own nearest
  for (Label label = 1; label < 700; label += 2) {
    EXPECT_EQ(index.search(*index.get(label), {.k = 1})->hits[0].label, label);
  }
}

TEST_P(StorageTest, ABatchBuildIsTheSameBytesAtAnyNumberOfThreads) {
  const std::vector<Label> labels = labels_up_to(1500);
  const std::vector<float> rows = rows_near_centers(labels);
  std::vector<StreamBytes> built;
  for (const unsigned threads : {1u, 3u}) {
    Index index = *Index::in_memory(options_of(GetParam()));
    ASSERT_TRUE(index.upsert_batch(labels, rows, {.threads = threads}).ok());
    built.push_back(saved(index));
  }
  EXPECT_TRUE(built[0] == built[1]);
}

/// What is stored under every label.
std::vector<std::vector<std::byte>> all_stored(const Index& index) {
  std::vector<std::vector<std::byte>> all;
  for (Label label = 0; label < 700; ++label) {
    Result<std::vector<std::byte>> stored = index.get_stored(label);
    all.push_back(stored ? std::move(*stored) : std::vector<std::byte>());
  }
  return all;
}

void expect_walks(const Index& index) {
  std::size_t walked = 0;
  ASSERT_OK(index.for_each([&](Label label, std::span<const float> vector) {
    ++walked;
    EXPECT_TRUE(std::ranges::equal(vector, *index.get(label)));
    return true;
  }));
  EXPECT_EQ(walked, index.size());
}

TEST_P(StorageTest, AStoreKeepsTheBytesInTheJournalInChunksAndInBackups) {
  const Case& c = GetParam();
  TemporaryFolder folder;
  StoreOptions quiet = quick_store();
  quiet.background = false;
  std::vector<std::vector<std::byte>> stored;
  {
    Store store = *Store::open(folder.file("s"), quiet);
    Index index = *store.index("i", options_of(c));
    const std::vector<Label> labels = labels_up_to(600);
    ASSERT_TRUE(index.upsert_batch(labels, rows_near_centers(labels)).ok());
    ASSERT_OK(index.checkpoint());
    for (Label label = 590; label < 640; ++label) {
      ASSERT_TRUE(index.upsert(label, near_center(label + 9)).ok());
    }
    for (Label label = 0; label < 50; ++label) ASSERT_TRUE(index.erase(label).ok());
    stored = all_stored(index);
    ASSERT_OK(store.backup(folder.file("journal")));  // with what only the journal has
    ASSERT_OK(store.close());
  }
  for (const char* const path : {"s", "journal"}) {
    for (const bool in_memory : {true, false}) {
      if (!in_memory && c.quantization == Quantization::kNone) continue;
      Store store = *Store::open(folder.file(path), quiet);
      IndexOptions tuning;
      tuning.vectors_in_memory = in_memory;
      Index index = *store.open_index("i", tuning);
      EXPECT_EQ(index.options().storage, c.storage);
      EXPECT_TRUE(all_stored(index) == stored) << path << in_memory;
      expect_walks(index);
      expect_sound(index, true);
      ASSERT_TRUE(index.upsert(650, near_center(650)).ok());
      EXPECT_EQ(*index.upsert(650, near_center(650)), UpsertOutcome::kUnchanged);
      const std::vector<float> query = near_center(600);
      EXPECT_EQ(index.search(query, {.k = 5})->hits,
                index.search(query, {.k = 5, .exact = true})->hits);
      ASSERT_TRUE(index.erase(650).ok());
      ASSERT_OK(store.close());
    }
    Store store = *Store::open(folder.file(path), quiet);
    const auto read = store.stored_vectors("i", std::vector<Label>{600, 3});
    ASSERT_TRUE(read.ok()) << read.status().to_string();
    EXPECT_EQ((*read)[0], *store.open_index("i")->get(600));
    EXPECT_TRUE((*read)[1].empty());
    EXPECT_EQ(store.stored_stats("i")->options.storage, c.storage);
    IndexOptions other = options_of(c);
    other.storage = Storage::kFloat32;
    ASSERT_OK(store.close());
    Store again = *Store::open(folder.file(path), quiet);
    EXPECT_CODE(again.index("i", other).status(), kInvalidArgument,
                std::string("storage float32 asked, index \"i\" has ") + storage_name(c.storage));
  }
}

TEST_P(StorageTest, AStreamKeepsTheBytes) {
  const std::vector<Label> labels = labels_up_to(600);
  Index index = *Index::in_memory(options_of(GetParam()));
  ASSERT_TRUE(index.upsert_batch(labels, rows_near_centers(labels)).ok());
  ASSERT_TRUE(index.erase(5).ok());
  const StreamBytes bytes = saved(index);
  const Index back = loaded(bytes);
  EXPECT_TRUE(all_stored(back) == all_stored(index));
  EXPECT_EQ(back.options().storage, GetParam().storage);
  expect_sound(back);
  EXPECT_TRUE(saved(back) == bytes);
}

}  // namespace
}  // namespace vicinal::testing
