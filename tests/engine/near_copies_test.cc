// Vectors that are hard to tell apart: equally far from each other, or nearly copies.
#include <algorithm>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

// Sparse zeros and ones: most of them are equally far from each other, and none stands for another.
TEST(EquallyFar, VectorsAreLinkedAsOthersAre) {
  constexpr std::size_t kMany = 3000;
  constexpr std::uint32_t kWide = 300;
  const std::vector<Label> labels = labels_up_to(kMany);
  std::vector<float> rows(kMany * kWide);
  for (std::size_t i = 0; i < kMany; ++i) {
    rows[i * kWide + i % kWide] = 1;
    rows[i * kWide + (i * 7 + i / kWide) % kWide] += 0.5F;
  }
  for (const auto& [quantization, storage] :
       {std::pair(Quantization::kNone, Storage::kFloat32), {Quantization::kInt8, Storage::kInt8}}) {
    IndexOptions options{.dimension = kWide, .metric = Metric::kSquaredL2};
    options.quantization = quantization;
    options.storage = storage;
    Index index = *Index::in_memory(options);
    ASSERT_OK(index.upsert_batch(labels, rows).status());
    const ValidateReport report = *index.validate();
    std::uint64_t links = 0;
    for (std::size_t degree = 0; degree < report.degree_histogram.size(); ++degree) {
      links += degree * report.degree_histogram[degree];
    }
    EXPECT_GE(links, 12 * kMany);
    std::size_t as_near = 0;
    for (std::size_t i = 0; i < kMany; i += 15) {
      const std::span<const float> row(&rows[i * kWide], kWide);
      const SearchResult right = *index.search(row, {.k = 10, .exact = true});
      const SearchResult found = *index.search(row, {.k = 10});
      as_near +=
          static_cast<std::size_t>(std::count_if(found.begin(), found.end(), [&](const Hit& hit) {
            return hit.distance <= right[9].distance + 1e-5F;
          }));
    }
    EXPECT_GE(as_near, 1800u) << "of 2000";
  }
}

// Rows that share a code are told apart by the rows, wherever these are.
TEST(NearCopies, AreFoundWhereRowsAreInTheFileToo) {
  constexpr std::uint32_t kNarrow = 8;
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> centers(20 * kNarrow);
  for (float& x : centers) x = normal(random);
  const auto near_center = [&](std::span<float> out) {
    const std::size_t center = random() % 20;
    for (std::size_t i = 0; i < kNarrow; ++i) {
      out[i] = centers[center * kNarrow + i] + 1.5e-3F * normal(random);
    }
  };
  const std::vector<Label> labels = labels_up_to(8000);
  std::vector<float> rows(labels.size() * kNarrow);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    near_center(std::span(rows).subspan(i * kNarrow, kNarrow));
  }
  for (const bool in_memory : {true, false}) {
    const TemporaryFolder folder;
    StoreOptions little = quick_store();
    little.map_bytes = 256 << 10;
    Store store = *Store::open(folder.file("s"), little);
    IndexOptions options{.dimension = kNarrow};
    options.vectors_in_memory = in_memory;
    Index index = *store.index("text", options);
    ASSERT_OK(index.upsert_batch(labels, rows).status());
    std::size_t as_near = 0;
    std::vector<float> query(kNarrow);
    for (Label i = 0; i < 100; ++i) {
      near_center(query);
      SearchOptions exact{.k = 10, .exact = true};
      exact.filter = Filter::by([&](Label label) { return label < labels.size(); });
      const SearchResult right = *index.search(query, exact);
      // A filter may write: no row is held meanwhile, for which the map would wait.
      bool wrote = false;
      SearchOptions writing{.k = 10};
      writing.filter = Filter::by([&](Label label) {
        if (!std::exchange(wrote, true)) {
          const std::vector<Label> more = labels_up_to(50, 1'000'000 + i * 50);
          EXPECT_TRUE(index.upsert_batch(more, matrix_of(more, 0, kNarrow)).ok());
        }
        return label < labels.size();
      });
      const SearchResult found = *index.search(query, writing);
      as_near +=
          static_cast<std::size_t>(std::count_if(found.begin(), found.end(), [&](const Hit& hit) {
            return hit.distance <= right[9].distance + 2.4e-7F;
          }));
    }
    EXPECT_GE(as_near, 960u) << "of 1000, rows in memory: " << in_memory;
    ASSERT_OK(store.close());
  }
}

}  // namespace
}  // namespace vicinal::testing
