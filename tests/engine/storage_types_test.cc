// Types of stored vectors: what their rows are, what they refuse and what they take.
#include <algorithm>
#include <cstring>
#include <set>

#include "tests/engine/storage_support.h"
#include "tests/engine/stream_reseal.h"
#include "tests/engine/stream_support.h"

namespace vicinal::testing {
namespace {

TEST(Storage, ManyDimensionsWithOnesThatDominateAreFound) {
  constexpr std::uint32_t kMany = 600;  // walks go by sketches (graph/sketches.h)
  const std::vector<Label> labels = labels_up_to(1200);
  std::vector<float> rows = rows_near_centers(labels, kMany);
  const auto dominate = [](std::span<float> row) {
    row[7] *= 20;
    row[300] = 30 + row[300];
  };
  for (const Label label : labels) dominate(std::span(rows).subspan(label * kMany, kMany));
  for (const Storage storage : {Storage::kFloat16, Storage::kInt8}) {
    Index index =
        *Index::in_memory(options_of({storage, Quantization::kInt8, Metric::kSquaredL2}, kMany));
    ASSERT_TRUE(index.upsert_batch(labels, rows).ok());
    std::size_t hits = 0;
    for (Label q = 5000; q < 5050; ++q) {
      std::vector<float> query = near_center(q, kMany);
      dominate(query);
      std::set<Label> nearest;
      for (const Hit& hit : *index.search(query, {.k = 10, .exact = true})) {
        nearest.insert(hit.label);
      }
      for (const Hit& hit : *index.search(query, {.k = 10, .ef_search = 80})) {
        hits += nearest.contains(hit.label) ? 1 : 0;
      }
    }
    EXPECT_GE(static_cast<double>(hits) / 500, 0.97) << storage_name(storage);
  }
}

TEST(Storage, HalvesAndQuartersMemoryAndFile) {
  TemporaryFolder folder;
  constexpr std::uint32_t kMany = 384;
  const std::vector<Label> labels = labels_up_to(3000);
  const std::vector<float> rows = rows_near_centers(labels, kMany);
  std::vector<double> memory;
  std::vector<double> disk;
  for (const Storage storage : {Storage::kFloat32, Storage::kFloat16, Storage::kInt8}) {
    IndexOptions options = options_of({storage, Quantization::kInt8, Metric::kCosine}, kMany);
    options.M = 4;
    options.ef_construction = 8;
    Store store = *Store::open(folder.file("s"), quick_store());
    Index index = *store.index(storage_name(storage), options);
    ASSERT_TRUE(index.upsert_batch(labels, rows).ok());
    memory.push_back(static_cast<double>(index.stats().bytes_vectors));
    EXPECT_EQ(index.stats().bytes_codes == 0, storage == Storage::kInt8);
    ASSERT_OK(store.close());
    store = *Store::open(folder.file("s"), quick_store());
    disk.push_back(static_cast<double>(store.stored_stats(storage_name(storage))->bytes_vectors));
  }
  EXPECT_NEAR(memory[1] / memory[0], 0.5, 0.2);  // pages of 2 MiB
  EXPECT_NEAR(memory[2] / memory[0], 0.29, 0.2);
  EXPECT_NEAR(disk[1] / disk[0], 0.5, 0.02);
  EXPECT_NEAR(disk[2] / disk[0], 0.253, 0.02);
}

TEST(Storage, WhatATypeHasNoNumberForIsRefusedWithTheNumbers) {
  IndexOptions options = options_of({Storage::kFloat16, Quantization::kInt8, Metric::kCosine}, 3);
  Index halves = *Index::in_memory(options);
  EXPECT_CODE(halves.upsert(1, std::vector<float>{1, -70000, 2}).status(), kInvalidArgument,
              "component 1 is -70000, beyond 65504, the largest number of float16 storage");
  EXPECT_CODE(
      halves.upsert_batch(std::vector<Label>{4, 5}, std::vector<float>{1, 2, 3, 65520, 1, 1})
          .status(),
      kInvalidArgument, "row 1 (label 5): component 0 is 65520, beyond 65504");
  EXPECT_TRUE(halves.upsert(1, std::vector<float>{65519, 1, 1}).ok());
  EXPECT_EQ((*halves.get(1))[0], 65504);
  EXPECT_CODE(halves.upsert(2, std::vector<float>{1e-9F, 0, 0}).status(), kInvalidArgument,
              "the largest component is 1e-09, which float16 storage rounds to 0");
  EXPECT_FALSE(halves.contains(2));
  options.metric = Metric::kSquaredL2;
  Index under_l2 = *Index::in_memory(options);
  EXPECT_TRUE(under_l2.upsert(2, std::vector<float>{1e-9F, 0, 0}).ok());
  EXPECT_EQ(*under_l2.get(2), (std::vector<float>{0, 0, 0}));

  options.storage = Storage::kInt8;
  Index scaled = *Index::in_memory(options);
  EXPECT_CODE(scaled.upsert(1, std::vector<float>{0, 1e-37F, 0}).status(), kInvalidArgument,
              "the largest component is 1e-37, below 1.49287");
  EXPECT_TRUE(scaled.upsert(1, std::vector<float>{0, 0, 0}).ok());
  EXPECT_TRUE(scaled.upsert(2, std::vector<float>{0, 1e-35F, 0}).ok());
  EXPECT_TRUE(scaled.upsert(3, std::vector<float>{-3e18F, 1, 0}).ok());
  options.storage = static_cast<Storage>(3);
  EXPECT_CODE(Index::in_memory(options).status(), kInvalidArgument, "storage 3 is outside 0 to 2");
}

TEST(Storage, StoredBytesAreWhatTheyAreSaidToBe) {
  IndexOptions options = options_of({Storage::kInt8, Quantization::kInt8, Metric::kSquaredL2}, 5);
  Index scaled = *Index::in_memory(options);
  ASSERT_TRUE(scaled.upsert(1, std::vector<float>{-254, 2, 1, 0, 7}).ok());
  const std::vector<std::byte> row = *scaled.get_stored(1);
  ASSERT_EQ(row.size(), stored_bytes(Storage::kInt8, 5));
  ASSERT_EQ(row.size(), 12u);
  const std::vector<int> expected = {-127, 1, 0, 0, 4, 0, 0, 0};  // of 0.5 and 3.5 the even ones
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(static_cast<std::int8_t>(row[i]), expected[i]) << i;
  }
  float scale = 0;
  std::memcpy(&scale, &row[8], sizeof scale);
  EXPECT_EQ(scale, 2.0F);
  EXPECT_EQ(*scaled.get(1), (std::vector<float>{-254, 2, 0, 0, 8}));

  options.storage = Storage::kFloat16;
  Index halves = *Index::in_memory(options);
  ASSERT_TRUE(halves.upsert(1, std::vector<float>{1, -2, 65504, 0, 0x1p-24F}).ok());
  const std::vector<std::uint16_t> words = {0x3C00, 0xC000, 0x7BFF, 0, 1};
  EXPECT_TRUE(std::ranges::equal(*halves.get_stored(1), std::as_bytes(std::span(words))));
}

TEST(Storage, RowsOfAStreamThatNoUpsertWritesAreRefused) {
  for (const Storage storage : {Storage::kFloat16, Storage::kInt8}) {
    IndexOptions options = options_of({storage, Quantization::kInt8, Metric::kSquaredL2}, 6);
    options.reserve = 0;
    Index index = *Index::in_memory(options);
    ASSERT_TRUE(index.upsert(1, std::vector<float>{1, 2, 3, 4, 5, 6}).ok());
    const std::vector<std::byte> row = *index.get_stored(1);
    const StreamBytes bytes = saved(index);
    const auto at = std::search(bytes.begin(), bytes.end(), row.begin(), row.end());
    ASSERT_NE(at, bytes.end());
    std::vector<std::vector<std::byte>> wrong(3, row);
    if (storage == Storage::kFloat16) {
      wrong[0][1] = std::byte{0x7C};  // not finite
      wrong[1][3] = std::byte{0xFE};
      wrong[2][11] = std::byte{0x7F};
    } else {
      wrong[0][0] = std::byte{0x80};  // -128
      wrong[1][7] = std::byte{1};     // between codes and scale
      wrong[2][8] |= std::byte{1};    // 24 bits of scale
    }
    for (const std::vector<std::byte>& other : wrong) {
      StreamBytes changed = bytes;
      std::copy(other.begin(), other.end(), changed.begin() + (at - bytes.begin()));
      reseal(changed);
      EXPECT_CODE(Index::load(out_of(changed)).status(), kCorruption, "node 0 (label 1): ");
    }
  }
}

}  // namespace
}  // namespace vicinal::testing
