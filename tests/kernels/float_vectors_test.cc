// Norm, scaling and the finiteness check, on every target.
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/kernels/support.h"

namespace vicinal::kernels::testing {
namespace {

class FloatVectors : public TargetTest {};
VICINAL_FOR_EVERY_TARGET(FloatVectors);

long double norm_oracle(const std::vector<float>& v) {
  long double sum = 0;
  for (const float x : v) sum += static_cast<long double>(x) * x;
  return std::sqrt(sum);
}

TEST_P(FloatVectors, NormAgreesWithOracleAtEveryLength_K3) {
  const GuardedPages pages(1536 * sizeof(float));
  for (const std::size_t n : lengths()) {
    const std::vector<float> v = random_floats(n, 1);
    const double expected = static_cast<double>(norm_oracle(v));
    for (float* const at : {pages.at_start<float>(), pages.at_end<float>(n)}) {
      std::memcpy(at, v.data(), n * sizeof(float));
      ASSERT_NEAR(table().norm_f32(at, n), expected, 1e-13 * expected) << n;
    }
  }
}

TEST_P(FloatVectors, NormNeitherOverflowsNorUnderflows) {
  for (const float x : {std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min(),
                        1e30f, 1e-20f}) {
    const std::vector<float> v(300, x);
    const double expected = static_cast<double>(norm_oracle(v));
    EXPECT_GT(expected, 0.0);
    EXPECT_NEAR(table().norm_f32(v.data(), v.size()), expected, 1e-13 * expected);
  }
  const std::vector<float> zeros(300, 0.0f);
  EXPECT_EQ(table().norm_f32(zeros.data(), zeros.size()), 0.0);
}

TEST_P(FloatVectors, ScaleMultipliesEachComponentInPlaceOrNot_K3) {
  const GuardedPages pages(1536 * sizeof(float));
  for (const std::size_t n : lengths()) {
    const std::vector<float> v = random_floats(n, 2);
    float* const at = pages.at_end<float>(n);
    table().scale_f32(v.data(), 0.3f, n, at);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(at[i], v[i] * 0.3f) << n;
    table().scale_f32(at, -3.0f, n, at);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(at[i], v[i] * 0.3f * -3.0f) << n;
  }
}

TEST_P(FloatVectors, FiniteCheckFindsTheOneBadComponentAnywhere) {
  const GuardedPages pages(1536 * sizeof(float));
  for (const std::size_t n : lengths()) {
    float* const v = pages.at_end<float>(n);
    const std::vector<float> good = random_floats(n, 3, std::numeric_limits<float>::max() / 4);
    std::memcpy(v, good.data(), n * sizeof(float));
    v[n / 2] = std::numeric_limits<float>::max();
    ASSERT_TRUE(table().all_finite_f32(v, n)) << n;
    for (std::size_t i = 0; i<n; i += n> 200 ? 37 : 1) {
      const float kept = v[i];
      for (const float bad : {INFINITY, -INFINITY, std::numeric_limits<float>::quiet_NaN()}) {
        v[i] = bad;
        ASSERT_FALSE(table().all_finite_f32(v, n)) << n << " at " << i;
      }
      v[i] = kept;
    }
  }
}

}  // namespace
}  // namespace vicinal::kernels::testing
