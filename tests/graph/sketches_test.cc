// Sketches: what a row holds, and that searches go by them only where they find as much.
#include "graph/sketches.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <thread>

#include "graph/codes.h"
#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

constexpr std::size_t kSketched = 640;  // dimensions

Config many_dimensions(Metric metric = Metric::kCosine) {
  Config config;
  config.dimension = kSketched;
  config.metric = metric;
  config.ef_construction = 100;
  return config;
}

// Vectors that vary in 16 directions, as embeddings do in few, and hardly in the others.
Rows low_rank(std::size_t count, std::uint64_t seed) {
  constexpr std::size_t kRank = 16;
  const Rows basis = clustered(kRank, kSketched, 77, 1, 78);
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Rows rows{kSketched, std::vector<float>(count * kSketched)};
  for (std::size_t i = 0; i < count; ++i) {
    float* const row = rows.values.data() + i * kSketched;
    for (std::size_t r = 0; r < kRank; ++r) {
      const float factor = normal(random);
      const float* const direction = basis.row(r);
      const float* const center = basis.row((r + 1) % kRank);  // their mean is near 0
      for (std::size_t d = 0; d < kSketched; ++d) row[d] += factor * (direction[d] - center[d]);
    }
    for (std::size_t d = 0; d < kSketched; ++d) row[d] += 0.05f * normal(random);
  }
  return rows;
}

std::uint32_t level_of(const std::vector<std::byte>& sketch, std::size_t i) {
  const std::size_t place = kernels::sketch_place(i, sketch.size());
  const auto packed = std::to_integer<std::uint32_t>(sketch[place / 256 * 64 + place % 64]);
  return packed >> (place % 256 / 64 * 2) & 3;
}

TEST(Sketch, HoldsTheLevelOfEachComponentAndAFactorThatIsRightForItself) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, 30);
  for (const std::size_t dimension : {1u, 2u, 57u, 300u, 512u, 1536u}) {
    std::vector<std::byte> row(kernels::packed_code_stride(dimension));
    auto* const codes = reinterpret_cast<std::int8_t*>(row.data());
    double squares = 0;
    for (std::size_t i = 0; i < dimension; ++i) {
      codes[i] = static_cast<std::int8_t>(std::clamp(normal(random), -127.0f, 127.0f));
      squares += double{static_cast<double>(codes[i])} * codes[i];
    }
    const kernels::CodeMeta meta = {0.01f, 2.5f};
    std::memcpy(row.data() + row.size() - sizeof(meta), &meta, sizeof(meta));
    std::vector<std::byte> sketch(kernels::sketch_stride(dimension));
    make_sketch(row.data(), row.size(), dimension, sketch.data());
    const double rms = std::sqrt(squares / static_cast<double>(dimension));
    double inner = 0;
    for (std::size_t i = 0; i < dimension; ++i) {
      const std::uint32_t u = level_of(sketch, i);
      ASSERT_EQ(u >= 2, codes[i] >= 0) << i;
      ASSERT_EQ(u == 0 || u == 3, std::abs(codes[i]) > rms) << i << " of " << dimension;
      inner += (2.0 * u - 3) * codes[i];
    }
    const kernels::CodeMeta& own = kernels::code_meta(sketch.data(), sketch.size());
    EXPECT_EQ(own.bias, 2.5f);
    EXPECT_NEAR(own.scale * inner, 0.01 * squares, 1e-5 * squares) << dimension;
  }
}

TEST(Sketch, OfZerosIsFarFromNothing) {
  std::vector<std::byte> row(kernels::code_stride(kSketched));
  std::vector<std::byte> sketch(kernels::sketch_stride(kSketched), std::byte{0xFF});
  make_sketch(row.data(), row.size(), kSketched, sketch.data());
  EXPECT_EQ(kernels::code_meta(sketch.data(), sketch.size()).scale, 0.0f);
}

TEST(Sketch, AQueryStandsWhereTheRowsHaveIt) {
  for (const std::size_t dimension : {300u, 1536u}) {
    std::vector<std::int8_t> codes(dimension);
    for (std::size_t i = 0; i < dimension; ++i) codes[i] = static_cast<std::int8_t>(i % 127 + 1);
    const std::size_t stride = kernels::sketch_stride(dimension);
    std::vector<std::int8_t> query(4 * kernels::sketch_bytes(stride), 99);
    spread_query(codes.data(), dimension, query.data());
    std::size_t others = 0;
    for (const std::int8_t c : query) others += c == 0 ? 1 : 0;
    EXPECT_EQ(others, query.size() - dimension);
    for (std::size_t i = 0; i < dimension; ++i) {
      EXPECT_EQ(query[kernels::sketch_place(i, stride)], codes[i]) << i;
    }
  }
}

class SketchedGraphs : public ::testing::TestWithParam<Metric> {};

TEST_P(SketchedGraphs, FindWhatTheScanFinds) {
  const Rows rows = low_rank(3000, 1);
  const Rows queries = low_rank(60, 2);
  const auto g = build(many_dimensions(GetParam()), rows);
  EXPECT_TRUE(g->stats().sketches);
  EXPECT_SOUND(*g);
  EXPECT_GE(recall(*g, queries, 10, 60).share, 0.98);
  // Alone, at the narrowest.
  for (std::size_t i = 0; i < rows.size(); i += 50) {
    const Answer a = search(*g, rows.row(i), 1, 10);
    ASSERT_EQ(a.found.size(), 1u);
    if (GetParam() == Metric::kInnerProduct) continue;  // a longer one may be nearer than itself
    EXPECT_EQ(a.found[0].label, i);
  }
}
INSTANTIATE_TEST_SUITE_P(Metrics, SketchedGraphs,
                         ::testing::Values(Metric::kCosine, Metric::kInnerProduct,
                                           Metric::kSquaredL2));

// What two bits say of a vector is here mostly what they say of every other.
TEST(SketchTrialTest, RefusesWhereVectorsLieInOneCorner) {
  Rows rows = low_rank(3000, 1);
  Rows queries = low_rank(60, 2);
  for (Rows* const all : {&rows, &queries}) {
    for (std::size_t i = 0; i < all->values.size(); ++i) {
      all->values[i] += i % kSketched % 3 == 0 ? 40.0f : -20.0f;
    }
  }
  const auto g = build(many_dimensions(), rows);
  EXPECT_FALSE(g->stats().sketches);
  EXPECT_GE(recall(*g, queries, 10, 60).share, 0.98);
}

TEST(SketchTrialTest, SingleInsertsEndIt) {
  const Rows rows = low_rank(1300, 1);
  const auto g = make_graph(many_dimensions());
  for (std::size_t i = 0; i < 1000; ++i) insert(*g, i, rows.row(i));
  EXPECT_FALSE(g->stats().sketches);  // so few are not asked
  for (std::size_t i = 1000; i < rows.size(); ++i) insert(*g, i, rows.row(i));
  EXPECT_TRUE(g->stats().sketches);
}

TEST(SketchedGraph, IsTheSameAtAnyNumberOfThreads) {
  const Rows rows = clustered(1500, kSketched, 5, 100);
  const auto one = build(many_dimensions(), rows, 1);
  for (const unsigned threads : {2u, 4u}) {
    const auto many = build(many_dimensions(), rows, threads);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      ASSERT_EQ(one->links(node), many->links(node)) << i;
    }
  }
}

TEST(SketchedGraph, FindsEveryCopyAndNoErasedOne) {
  Rows rows = clustered(1500, kSketched, 9, 300);
  for (std::size_t i = 0; i < 40; ++i) {  // one value forty times
    std::copy_n(rows.row(700), kSketched,
                rows.values.begin() + static_cast<std::ptrdiff_t>(i * kSketched));
  }
  const auto g = build(many_dimensions(), rows);
  const Answer a = search(*g, rows.row(700), 41, 60);
  ASSERT_EQ(a.found.size(), 41u);
  EXPECT_EQ(a.found.back().distance, a.found.front().distance);
  for (std::size_t i = 0; i < 20; ++i) g->erase(NodeId{static_cast<std::uint32_t>(i)});
  for (const Found& f : search(*g, rows.row(700), 21, 60).found) EXPECT_GE(f.label, 20u);
}

// The trial runs in those who link, while others search.
TEST(SketchedGraph, TrialsBesideSearches) {
  const Rows rows = low_rank(1400, 21);
  const auto g = build(many_dimensions(), low_rank(900, 22));
  std::atomic<std::size_t> next{0};
  std::atomic<bool> done{false};
  {
    std::jthread reader([&] {
      for (std::size_t i = 0; !done.load(); ++i) {
        EXPECT_EQ(search(*g, rows.row(i % rows.size()), 10, 30).found.size(), 10u);
      }
    });
    {
      const auto write = [&] {
        for (std::size_t i; (i = next.fetch_add(1)) < for_sanitizer(rows.size());) {
          insert(*g, 10'000 + i, rows.row(i));
        }
      };
      const std::jthread one(write);
      const std::jthread another(write);
    }
    done.store(true);
  }
  EXPECT_TRUE(g->stats().sketches);
  EXPECT_SOUND(*g);
}

// A row is read only while its place among the k is open; what comes is what the scan says.
TEST(Reranking, OrderAndDistancesAreTheScans) {
  for (const Metric metric : {Metric::kCosine, Metric::kInnerProduct, Metric::kSquaredL2}) {
    for (const std::uint32_t dimension : {3u, 48u, 600u}) {
      Config config;
      config.dimension = dimension;
      config.metric = metric;
      const Rows rows = clustered(for_sanitizer(2000), dimension, 11, 1);
      const Rows queries = clustered(30, dimension, 12, 1);
      const auto g = build(config, rows);
      for (const std::size_t k : {1u, 10u, 100u}) {
        std::size_t wrong = 0;
        for (std::size_t q = 0; q < queries.size(); ++q) {
          const Answer exact = scan(*g, queries.row(q), k);
          const Answer got = search(*g, queries.row(q), k, 2000);
          ASSERT_EQ(got.found.size(), k);
          for (std::size_t i = 0; i < k; ++i) wrong += got.found[i].label != exact.found[i].label;
        }
        EXPECT_LE(wrong, queries.size() * k / 500) << dimension << " dimensions, k " << k;
      }
    }
  }
}

}  // namespace
}  // namespace vicinal::graph::testing
