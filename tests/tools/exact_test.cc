// Exact neighbors against the plainest double-precision scan, ties and equal vectors included.
#include "bench/vicinal_bench/exact.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <random>

namespace vicinal::bench {
namespace {

matrix::Matrix random_matrix(std::uint64_t rows, std::uint32_t dimension, unsigned seed,
                             bool coarse) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  matrix::Matrix m;
  m.rows = rows;
  m.dimension = dimension;
  for (std::uint64_t i = 0; i < rows * dimension; ++i) {
    const float value = normal(random);
    m.values.push_back(coarse ? std::round(value) + 0.25f : value);
  }
  return m;
}

std::vector<std::int32_t> plain_scan(const matrix::Matrix& base, const matrix::Matrix& query,
                                     Metric metric, std::size_t k) {
  std::vector<std::int32_t> rows;
  for (std::uint64_t q = 0; q < query.rows; ++q) {
    std::vector<std::pair<double, std::int32_t>> all;
    for (std::uint64_t r = 0; r < base.rows; ++r) {
      double ab = 0;
      double bb = 0;
      double aa = 0;
      for (std::uint32_t d = 0; d < base.dimension; ++d) {
        const double a = query.row(q)[d];
        const double b = base.row(r)[d];
        ab += a * b;
        aa += a * a;
        bb += b * b;
      }
      const double distance = metric == Metric::kCosine ? -ab / (std::sqrt(aa) * std::sqrt(bb))
                              : metric == Metric::kInnerProduct
                                  ? -ab
                                  : std::sqrt(bb) * std::sqrt(bb) - 2 * ab;
      all.emplace_back(distance, static_cast<std::int32_t>(r));
    }
    std::sort(all.begin(), all.end());
    for (std::size_t i = 0; i < std::min(k, all.size()); ++i) rows.push_back(all[i].second);
  }
  return rows;
}

TEST(ExactTest, EqualsPlainScanForEveryMetricAndShape) {
  for (const Metric metric : {Metric::kCosine, Metric::kInnerProduct, Metric::kSquaredL2}) {
    for (const bool coarse : {false, true}) {
      for (const std::uint64_t rows : {1u, 7u, 8u, 61u, 1003u}) {
        for (const std::uint32_t dimension : {1u, 3u, 16u, 33u}) {
          const matrix::Matrix base = random_matrix(rows, dimension, 1, coarse);
          const matrix::Matrix query = random_matrix(5, dimension, 2, coarse);
          for (const unsigned threads : {1u, 3u}) {
            const ExactResult result = exact_neighbors(base, query, metric, 10, threads);
            EXPECT_EQ(result.rows, plain_scan(base, query, metric, 10))
                << rows << " x " << dimension << " metric " << static_cast<int>(metric);
          }
        }
      }
    }
  }
}

TEST(ExactTest, EqualVectorsComeByRow) {
  matrix::Matrix base = random_matrix(1, 8, 3, false);
  for (int i = 0; i < 199; ++i) {
    base.values.insert(base.values.end(), base.values.begin(), base.values.begin() + 8);
  }
  base.rows = 200;
  const matrix::Matrix query = random_matrix(2, 8, 4, false);
  const ExactResult result = exact_neighbors(base, query, Metric::kCosine, 4, 2);
  EXPECT_EQ(result.rows, (std::vector<std::int32_t>{0, 1, 2, 3, 0, 1, 2, 3}));
  EXPECT_EQ(result.rescanned, 2u);
}

TEST(ExactTest, OrdinaryDataNeedsNoSecondScan) {
  const matrix::Matrix base = random_matrix(5000, 32, 5, false);
  const matrix::Matrix query = random_matrix(20, 32, 6, false);
  EXPECT_EQ(exact_neighbors(base, query, Metric::kSquaredL2, 10, 2).rescanned, 0u);
}

TEST(ExactTest, EndsWhenItIsToldTo) {
  const matrix::Matrix base = random_matrix(20000, 8, 1, false);
  const matrix::Matrix query = random_matrix(40, 8, 2, false);
  std::atomic<std::uint64_t> told{0};
  exact_neighbors(base, query, Metric::kCosine, 10, 2, [&](std::uint64_t) {
    ++told;
    return false;
  });
  // Both threads may ask at once, and no later than before their first block.
  EXPECT_GE(told, 1u);
  EXPECT_LE(told, 2u);
  std::atomic<std::uint64_t> most{0};
  const ExactResult all =
      exact_neighbors(base, query, Metric::kCosine, 10, 2, [&](std::uint64_t pairs) {
        std::uint64_t before = most;
        while (before < pairs && !most.compare_exchange_weak(before, pairs)) {
        }
        return true;
      });
  EXPECT_EQ(all.rows.size(), 400u);
  EXPECT_GT(most, base.rows * query.rows / 2);
  EXPECT_LE(most, base.rows * query.rows);
}

}  // namespace
}  // namespace vicinal::bench
