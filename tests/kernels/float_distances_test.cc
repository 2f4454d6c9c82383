// float32 distances against a double oracle, on every target.
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/kernels/support.h"

namespace vicinal::kernels::testing {
namespace {

struct Oracle {
  double value = 0;
  double magnitude = 0;  // of the terms: what the rounding error is relative to
};

Oracle dot_oracle(const float* a, const float* b, std::size_t n) {
  Oracle oracle;
  for (std::size_t i = 0; i < n; ++i) {
    const double term = double{a[i]} * double{b[i]};
    oracle.value += term;
    oracle.magnitude += std::abs(term);
  }
  return oracle;
}

Oracle squared_l2_oracle(const float* a, const float* b, std::size_t n) {
  Oracle oracle;
  for (std::size_t i = 0; i < n; ++i) {
    const double difference = double{a[i]} - double{b[i]};
    oracle.value += difference * difference;
  }
  oracle.magnitude = oracle.value;
  return oracle;
}

/// n/2 additions at most follow one another (two accumulators of at least one lane), each with half
/// an ulp; denormal results are exact to the smallest denormal per term.
double tolerance(const Oracle& oracle, std::size_t n) {
  const double terms = static_cast<double>(n) + 4;
  return oracle.magnitude * terms * 0x1p-24 +
         terms * double{std::numeric_limits<float>::denorm_min()};
}

class FloatDistances : public TargetTest {
 protected:
  void check_pair(const float* a, const float* b, std::size_t n) {
    const Oracle dot = dot_oracle(a, b, n);
    const Oracle l2 = squared_l2_oracle(a, b, n);
    ASSERT_NEAR(table().dot_f32(a, b, n), dot.value, tolerance(dot, n)) << "n = " << n;
    ASSERT_NEAR(table().squared_l2_f32(a, b, n), l2.value, tolerance(l2, n)) << "n = " << n;
  }
};

VICINAL_FOR_EVERY_TARGET(FloatDistances);

TEST_P(FloatDistances, AgreeWithOracleAtEveryLengthBesideGuardPages_K3) {
  const GuardedPages a_pages(1536 * sizeof(float));
  const GuardedPages b_pages(1536 * sizeof(float));
  for (const std::size_t n : lengths()) {
    const std::vector<float> a = random_floats(n, 1);
    const std::vector<float> b = random_floats(n, 2);
    for (float* const a_at : {a_pages.at_start<float>(), a_pages.at_end<float>(n)}) {
      for (float* const b_at : {b_pages.at_start<float>(), b_pages.at_end<float>(n)}) {
        std::memcpy(a_at, a.data(), n * sizeof(float));
        std::memcpy(b_at, b.data(), n * sizeof(float));
        check_pair(a_at, b_at, n);
      }
    }
  }
}

TEST_P(FloatDistances, TakeMisalignedPointers_K2) {
  const std::vector<float> a = random_floats(400, 3);
  const std::vector<float> b = random_floats(400, 4);
  for (const std::size_t n : {1, 7, 33, 300, 384}) {
    for (std::size_t a_off = 0; a_off < 16; ++a_off) {
      check_pair(a.data() + a_off, b.data() + (a_off * 5) % 16, n);
    }
  }
}

TEST_P(FloatDistances, TakeZerosDenormalsAndExtremes) {
  for (const std::size_t n : {1, 3, 16, 37, 300}) {
    const std::vector<float> zeros(n, 0.0f);
    const std::vector<float> denormals(n, 1e-41f);
    const std::vector<float> huge(n, 1e17f);
    std::vector<float> mixed = random_floats(n, 5, 1e17f);
    check_pair(zeros.data(), zeros.data(), n);
    check_pair(zeros.data(), huge.data(), n);
    check_pair(denormals.data(), denormals.data(), n);
    check_pair(denormals.data(), huge.data(), n);
    check_pair(huge.data(), mixed.data(), n);
  }
  // 1e30 squared is beyond float: infinity, never a NaN.
  const std::vector<float> overflowing(300, 1e30f);
  const std::vector<float> zeros(300, 0.0f);
  EXPECT_EQ(table().dot_f32(overflowing.data(), overflowing.data(), 300), INFINITY);
  EXPECT_EQ(table().dot_f32(overflowing.data(), zeros.data(), 300), 0.0f);
  EXPECT_EQ(table().squared_l2_f32(overflowing.data(), zeros.data(), 300), INFINITY);
  EXPECT_EQ(table().squared_l2_f32(overflowing.data(), overflowing.data(), 300), 0.0f);
}

TEST_P(FloatDistances, AreTheSameBitsInEveryForm_K6) {
  constexpr std::uint32_t kRows = 23;
  constexpr std::uint32_t kShift = 3;
  for (const std::size_t n : lengths()) {
    const std::size_t stride = (n * sizeof(float) + 63) / 64 * 64;
    const std::vector<float> query = random_floats(n, 6);
    const GuardedPages pages(((kRows >> kShift) + 1) * (stride << kShift));
    std::vector<const std::byte*> segments;
    for (std::uint32_t s = 0; s <= kRows >> kShift; ++s) {
      segments.push_back(pages.at_start<std::byte>() + s * (stride << kShift));
    }
    const RowTable rows = {segments.data(), kShift, (1u << kShift) - 1, stride};
    std::vector<std::uint32_t> ids;
    std::vector<const std::byte*> pointers;
    for (std::uint32_t id = 0; id < kRows; ++id) {
      const std::vector<float> row = random_floats(n, 100 + id);
      std::memcpy(const_cast<std::byte*>(rows.row(id)), row.data(), n * sizeof(float));
      ids.push_back((id * 7) % kRows);
    }
    for (const std::uint32_t id : ids) pointers.push_back(rows.row(id));
    for (const std::size_t count : {0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 23}) {
      std::vector<float> out(4 * count + 1, -7.0f);
      float* const at = out.data();
      const Rows rows_are = count % 2 == 0 ? Rows::kScattered : Rows::kCached;
      table().float32.dot_many(query.data(), rows, ids.data(), count, n, rows_are, at);
      table().float32.dot_rows(query.data(), pointers.data(), count, n, at + count);
      table().float32.squared_l2_many(query.data(), rows, ids.data(), count, n, rows_are,
                                      at + 2 * count);
      table().float32.squared_l2_rows(query.data(), pointers.data(), count, n, at + 3 * count);
      for (std::size_t i = 0; i < count; ++i) {
        const auto* const row = reinterpret_cast<const float*>(pointers[i]);
        const float dot = table().dot_f32(query.data(), row, n);
        const float l2 = table().squared_l2_f32(query.data(), row, n);
        ASSERT_EQ(std::bit_cast<std::uint32_t>(at[i]), std::bit_cast<std::uint32_t>(dot)) << n;
        ASSERT_EQ(at[count + i], dot) << n;
        ASSERT_EQ(at[2 * count + i], l2) << n;
        ASSERT_EQ(at[3 * count + i], l2) << n;
      }
      ASSERT_EQ(out.back(), -7.0f);
    }
  }
}

}  // namespace
}  // namespace vicinal::kernels::testing
