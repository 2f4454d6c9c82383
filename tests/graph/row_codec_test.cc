// RowCodec: rows of every type, and what a walk sees of them.
#include "graph/row_codec.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "graph/copies.h"
#include "graph/graph_state.h"
#include "graph/scorer.h"
#include "graph/sketches.h"
#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

const kernels::KernelTable& table() { return **kernels::active_kernels(); }

class RowCodecTest : public ::testing::TestWithParam<Storage> {
 protected:
  static RowCodec codec(std::uint32_t dimension, Metric metric = Metric::kSquaredL2) {
    return RowCodec({dimension, GetParam()}, metric, table());
  }
};

INSTANTIATE_TEST_SUITE_P(Types, RowCodecTest,
                         ::testing::Values(Storage::kFloat32, Storage::kFloat16, Storage::kInt8),
                         [](const auto& instance) { return storage_name(instance.param); });

TEST_P(RowCodecTest, WhatARowDecodesToEncodesToIt_G18) {
  for (const std::uint32_t dimension : {1u, 2u, 3u, 4u, 31u, 64u, 384u}) {
    const RowCodec c = codec(dimension);
    const Rows rows = clustered(20, dimension, 3);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      // Bytes behind a row are others': they stay.
      std::vector<std::byte> row(c.shape().bytes() + 1, std::byte{0xA5});
      ASSERT_TRUE(c.encode(rows.row(i), row.data()).ok());
      EXPECT_EQ(row.back(), std::byte{0xA5});
      std::vector<float> decoded(dimension);
      c.decode(row.data(), decoded.data());
      EXPECT_TRUE(c.canonical(row.data(), decoded.data()));
      internal::Vector<float> room;
      const float* const floats = c.floats(row.data(), room);
      EXPECT_TRUE(std::equal(decoded.begin(), decoded.end(), floats));
      EXPECT_EQ(room.empty(), GetParam() == Storage::kFloat32);
    }
  }
}

TEST_P(RowCodecTest, DistancesAreThoseOfTheDecodedVector_G19) {
  constexpr std::uint32_t kWide = 100;
  const Rows rows = clustered(9, kWide, 4);
  for (const Metric metric : {Metric::kSquaredL2, Metric::kInnerProduct}) {
    const RowCodec c = codec(kWide, metric);
    std::vector<std::vector<std::byte>> stored;
    std::vector<const std::byte*> pointers;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSERT_TRUE(c.encode(rows.row(i), stored.emplace_back(c.shape().bytes()).data()).ok());
    }
    for (const auto& row : stored) pointers.push_back(row.data());
    std::vector<float> out(rows.size());
    c.compare(rows.row(0), pointers.data(), pointers.size(), out.data());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::vector<float> decoded(kWide);
      c.decode(pointers[i], decoded.data());
      const auto one = metric == Metric::kSquaredL2 ? table().squared_l2_f32 : table().dot_f32;
      EXPECT_EQ(std::bit_cast<std::uint32_t>(out[i]),
                std::bit_cast<std::uint32_t>(one(rows.row(0), decoded.data(), kWide)));
    }
  }
}

/// A graph state whose rows are int8 and traversed themselves.
class RowsAreCodes : public ::testing::TestWithParam<Metric> {
 protected:
  static constexpr std::uint32_t kCount = 60;

  RowsAreCodes() : rows_(clustered(kCount, kDimension, 8)), state_(config(), table(), nullptr) {
    {
      const internal::MutexLock lock(state_.slots_mutex);
      state_.grow(kCount);
    }
    const BorrowedScratch scratch(state_.scratches);
    for (std::uint32_t i = 0; i < kCount; ++i) {
      std::vector<std::byte> row(state_.codec.shape().bytes());
      EXPECT_TRUE(state_.codec.encode(rows_.row(i), row.data()).ok());
      state_.write_payload(NodeId{i}, i, 0, row.data(), *scratch);
    }
  }
  static Config config() {
    Config config;
    config.dimension = kDimension;
    config.metric = GetParam();
    config.storage = Storage::kInt8;
    return config;
  }

  static constexpr std::uint32_t kDimension = 61;  // the scale lies within the last line of codes
  Rows rows_;
  GraphState state_;
};

INSTANTIATE_TEST_SUITE_P(Metrics, RowsAreCodes,
                         ::testing::Values(Metric::kCosine, Metric::kInnerProduct,
                                           Metric::kSquaredL2),
                         [](const auto& instance) { return metric_name(instance.param); });

TEST_P(RowsAreCodes, ThereIsOneCopyOfThem) {
  EXPECT_TRUE(state_.use_codes);
  EXPECT_FALSE(state_.own_codes);
  EXPECT_EQ(state_.codes.bytes_held(), 0u);
  EXPECT_EQ(state_.rotation_signs, nullptr);
}

TEST_P(RowsAreCodes, FromNodeToNodeAWalkIsExact) {
  const BorrowedScratch scratch(state_.scratches);
  std::vector<float> a(kDimension);
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const Scorer score = Scorer::for_node(state_, NodeId{i}, Scorer::Side::kMain, *scratch);
    state_.codec.decode(state_.vector_row(NodeId{i}), a.data());
    internal::Vector<float> query(a.begin(), a.end());
    if (GetParam() == Metric::kCosine) {
      table().scale_f32(a.data(), state_.inverse_norm(a.data()), kDimension, query.data());
    }
    for (std::uint32_t j = 0; j < kCount; ++j) {
      float exact = 0;
      exact_distances(state_, query.data(), &j, 1, &exact);
      ASSERT_NEAR(score(NodeId{j}), exact, 2e-5 * (1 + std::fabs(exact))) << i << " " << j;
    }
  }
}

TEST_P(RowsAreCodes, AQuerysOwnCodingIsTheOnlyError) {
  const BorrowedScratch scratch(state_.scratches);
  const Rows queries = clustered(20, kDimension, 9);
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const Scorer score = Scorer::for_query(state_, queries.row(q), *scratch);
    for (std::uint32_t j = 0; j < kCount; ++j) {
      float exact = 0;
      exact_distances(state_, score.prepared(), &j, 1, &exact);
      // Relative to the lengths that take part.
      const double scale = GetParam() == Metric::kCosine ? 1.0 : 200.0;
      ASSERT_NEAR(score(NodeId{j}), exact, 0.01 * scale) << q << " " << j;
    }
  }
}

TEST_P(RowsAreCodes, UnderCosineALengthDoesNotTellThemApart) {
  const BorrowedScratch scratch(state_.scratches);
  std::vector<float> twice(kDimension);
  for (std::uint32_t d = 0; d < kDimension; ++d) twice[d] = 2 * rows_.row(0)[d];
  std::vector<std::byte> row(state_.codec.shape().bytes());
  ASSERT_TRUE(state_.codec.encode(twice.data(), row.data()).ok());
  state_.write_payload(NodeId{1}, 1, 0, row.data(), *scratch);
  const bool same = GetParam() == Metric::kCosine;
  EXPECT_EQ(same_value(state_, NodeId{0}, NodeId{1}), same);
  EXPECT_EQ(value_hash(state_, NodeId{0}) == value_hash(state_, NodeId{1}), same);
  EXPECT_FALSE(same_value(state_, NodeId{0}, NodeId{2}));
}

TEST(SketchesOfStoredRows, AreTheSameForWhatAWalkCannotTellApart) {
  constexpr std::uint32_t kMany = kSketchDimensions + 21;
  Config config;
  config.dimension = kMany;
  config.storage = Storage::kInt8;
  GraphState state(config, table(), nullptr);
  ASSERT_TRUE(state.use_sketches);
  {
    const internal::MutexLock lock(state.slots_mutex);
    state.grow(3);
  }
  const BorrowedScratch scratch(state.scratches);
  const Rows rows = clustered(2, kMany, 12);
  for (std::uint32_t i = 0; i < 3; ++i) {
    std::vector<float> vector(rows.row(i / 2), rows.row(i / 2) + kMany);
    for (float& x : vector) x *= i == 1 ? 3.0f : 1.0f;
    std::vector<std::byte> row(state.codec.shape().bytes());
    ASSERT_TRUE(state.codec.encode(vector.data(), row.data()).ok());
    state.write_payload(NodeId{i}, i, 0, row.data(), *scratch);
  }
  const auto sketch = [&](std::uint32_t i) { return state.sketches.row(i); };
  const std::size_t stride = state.sketches.stride();
  ASSERT_TRUE(same_value(state, NodeId{0}, NodeId{1}));
  EXPECT_EQ(std::memcmp(sketch(0), sketch(1), stride), 0);
  EXPECT_NE(std::memcmp(sketch(0), sketch(2), stride), 0);
  // A walk from a node, and one from its vector, see it at its own place.
  const Scorer by_node =
      Scorer::for_node(state, NodeId{0}, Scorer::Side::kMain, *scratch).for_walk(*scratch);
  EXPECT_NEAR(by_node(NodeId{1}), 0, 0.02);
  EXPECT_GT(by_node(NodeId{2}), 0.2);
  const Scorer by_query = Scorer::for_query(state, rows.row(0), *scratch).for_walk(*scratch);
  EXPECT_NEAR(by_query(NodeId{1}), 0, 0.02);
  EXPECT_GT(by_query(NodeId{2}), 0.2);
}

}  // namespace
}  // namespace vicinal::graph::testing
