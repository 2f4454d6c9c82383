// Stored rows on every target: conversions against the definition, distances against float32's.
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/kernels/support.h"

namespace vicinal::kernels::testing {
namespace {

/// The value of a finite float16, by its definition.
double half_value(std::uint16_t half) {
  const int exponent = half >> 10 & 31;
  const int mantissa = half & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

class StoredRows : public TargetTest {
 protected:
  std::uint16_t half_of(float value) const {
    std::uint16_t half = 0;
    table().encode_f16(&value, 1, &half);
    return half;
  }
  std::vector<float> decoded(const std::vector<std::int8_t>& codes, float scale) const {
    std::vector<float> out(codes.size());
    table().decode_scaled(codes.data(), scale, codes.size(), out.data());
    return out;
  }
};

VICINAL_FOR_EVERY_TARGET(StoredRows);

TEST_P(StoredRows, EveryHalfDecodesToItsValueAndBack_K7) {
  std::vector<std::uint16_t> halves;
  for (std::uint32_t h = 0; h < 0x10000; ++h) {
    if ((h & 0x7C00) != 0x7C00) halves.push_back(static_cast<std::uint16_t>(h));
  }
  for (const std::size_t n : {halves.size(), std::size_t{1}, std::size_t{3}}) {  // lanes and rest
    for (std::size_t i = 0; i < halves.size(); i += n) {
      const std::size_t count = std::min(n, halves.size() - i);
      std::vector<float> floats(count);
      table().decode_f16(&halves[i], count, floats.data());
      std::vector<std::uint16_t> back(count);
      table().encode_f16(floats.data(), count, back.data());
      for (std::size_t k = 0; k < count; ++k) {
        ASSERT_EQ(double{floats[k]}, half_value(halves[i + k])) << halves[i + k];
        ASSERT_EQ(std::signbit(floats[k]), halves[i + k] >= 0x8000);
        ASSERT_EQ(back[k], halves[i + k]);
      }
    }
  }
  const std::vector<std::uint16_t> others = {0x7C00, 0xFC00, 0x7E00, 0x7C00, 0x7C01, 0xFFFF};
  std::vector<float> floats(others.size());
  table().decode_f16(others.data(), others.size(), floats.data());
  for (const float f : floats) {
    EXPECT_TRUE(std::isnan(f) || (half_of(f) & 0x7FFF) == 0x7C00) << f;
  }
}

TEST_P(StoredRows, HalvesAreRoundedToTheNearestAndOfTwoToTheEven_K7) {
  for (std::uint32_t h = 0; h < 0x7BFF; ++h) {
    const double low = half_value(static_cast<std::uint16_t>(h));
    const double high = half_value(static_cast<std::uint16_t>(h + 1));
    const auto middle = static_cast<float>((low + high) / 2);  // exact
    ASSERT_EQ(half_of(middle), h % 2 == 0 ? h : h + 1);
    ASSERT_EQ(half_of(std::nextafter(middle, 0.0F)), h);
    ASSERT_EQ(half_of(std::nextafter(middle, 1e9F)), h + 1);
    ASSERT_EQ(half_of(-middle), (h % 2 == 0 ? h : h + 1) | 0x8000);
  }
  EXPECT_EQ(half_of(std::nextafter(65520.0F, 0.0F)), 0x7BFF);
  EXPECT_EQ(half_of(65520.0F), 0x7C00);
  EXPECT_EQ(half_of(-std::numeric_limits<float>::max()), 0xFC00);
  EXPECT_EQ(half_of(std::numeric_limits<float>::denorm_min()), 0);
}

TEST_P(StoredRows, AScaledRowIsItsOwnCodingAndEveryComponentExact_K7) {
  for (const std::size_t n : lengths()) {
    for (const float magnitude : {1e-30F, 0.37F, 1.0F, 1e18F, 1.7e38F}) {
      const std::vector<float> v = random_floats(n, static_cast<std::uint32_t>(n), magnitude);
      std::vector<std::int8_t> codes(n);
      const float scale = table().encode_scaled(v.data(), n, codes.data());
      float largest = 0;
      for (const float x : v) largest = std::max(largest, std::fabs(x));
      ASSERT_LE(double{scale} * 127, double{largest});
      ASSERT_GE(double{scale} * 127, double{largest} * (1 - 0x1p-16));
      const std::vector<float> back = decoded(codes, scale);
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_EQ(double{back[i]}, double{scale} * codes[i]);
        ASSERT_LE(std::fabs(double{v[i]} - double{back[i]}), double{scale} * 0.503) << n;
      }
      std::vector<std::int8_t> again(n);
      ASSERT_EQ(table().encode_scaled(back.data(), n, again.data()), scale);
      ASSERT_EQ(again, codes);
    }
  }
}

TEST_P(StoredRows, WhatHasNoNormalScaleIsZero) {
  for (const float tiny : {0.0F, 1e-45F, 1e-37F}) {
    const std::vector<float> v(37, -tiny);
    std::vector<std::int8_t> codes(37, 5);
    EXPECT_EQ(table().encode_scaled(v.data(), v.size(), codes.data()), 0.0F);
    EXPECT_EQ(codes, std::vector<std::int8_t>(37, 0));
  }
  const std::vector<float> v(37, 1.5e-36F);
  std::vector<std::int8_t> codes(37);
  EXPECT_GT(table().encode_scaled(v.data(), v.size(), codes.data()), 0.0F);
  EXPECT_EQ(codes, std::vector<std::int8_t>(37, 127));
}

/// Rows of one type behind guard pages, with what they decode to.
struct Sample {
  std::size_t row_bytes;
  std::vector<std::vector<float>> values;
  std::vector<std::vector<std::byte>> rows;
};

class StoredDistances : public StoredRows {
 protected:
  static constexpr std::uint32_t kRows = 11;

  Sample halves(std::size_t n) const {
    Sample sample{2 * n, {}, {}};
    for (std::uint32_t r = 0; r < kRows; ++r) {
      const std::vector<float> v = random_floats(n, 50 + r, 3);
      std::vector<std::uint16_t> half(n);
      table().encode_f16(v.data(), n, half.data());
      table().decode_f16(half.data(), n, sample.values.emplace_back(n).data());
      const auto bytes = std::as_bytes(std::span(half));
      sample.rows.emplace_back(bytes.begin(), bytes.end());
    }
    return sample;
  }
  Sample scaled(std::size_t n) const {
    Sample sample{scale_offset(n) + sizeof(float), {}, {}};
    for (std::uint32_t r = 0; r < kRows; ++r) {
      const std::vector<float> v = random_floats(n, 70 + r, 3);
      std::vector<std::byte>& row = sample.rows.emplace_back(sample.row_bytes);
      auto* const codes = reinterpret_cast<std::int8_t*>(row.data());
      const float scale = table().encode_scaled(v.data(), n, codes);
      std::memcpy(row.data() + scale_offset(n), &scale, sizeof scale);
      table().decode_scaled(codes, scale, n, sample.values.emplace_back(n).data());
    }
    return sample;
  }

  /// Every form has the bits of the float32 distance to the decoded row, and reads nothing beside it.
  void check(const Sample& sample, const RowDistances& distances, std::size_t n) {
    const std::vector<float> query = random_floats(n, 9);
    const std::size_t stride = (sample.row_bytes + 63) / 64 * 64;
    const GuardedPages pages(kRows * stride);
    const std::byte* const segment = pages.at_start<std::byte>();
    const RowTable table_of_rows = {&segment, 31, ~0u >> 1, stride};
    std::vector<std::uint32_t> ids;
    for (std::uint32_t id = 0; id < kRows; ++id) {
      std::memcpy(const_cast<std::byte*>(table_of_rows.row(id)), sample.rows[id].data(),
                  sample.row_bytes);
      ids.push_back(id * 7 % kRows);
    }
    const GuardedPages last_page(sample.row_bytes);
    std::byte* const last = last_page.at_end<std::byte>(sample.row_bytes);  // misaligned, too
    std::memcpy(last, sample.rows[ids[0]].data(), sample.row_bytes);
    for (const std::size_t count : {1, 2, 3, 4, 6, 11}) {
      std::vector<const std::byte*> pointers;
      for (std::size_t i = 0; i < count; ++i) pointers.push_back(table_of_rows.row(ids[i]));
      pointers[0] = last;
      std::vector<float> out(4 * count);
      float* const at = out.data();
      distances.dot_many(query.data(), table_of_rows, ids.data(), count, n, Rows::kScattered, at);
      distances.dot_rows(query.data(), pointers.data(), count, n, at + count);
      distances.squared_l2_many(query.data(), table_of_rows, ids.data(), count, n, Rows::kCached,
                                at + 2 * count);
      distances.squared_l2_rows(query.data(), pointers.data(), count, n, at + 3 * count);
      for (std::size_t i = 0; i < count; ++i) {
        const float* const value = sample.values[ids[i]].data();
        const float dot = table().dot_f32(query.data(), value, n);
        const float l2 = table().squared_l2_f32(query.data(), value, n);
        ASSERT_EQ(std::bit_cast<std::uint32_t>(at[i]), std::bit_cast<std::uint32_t>(dot)) << n;
        ASSERT_EQ(at[count + i], dot) << n;
        ASSERT_EQ(at[2 * count + i], l2) << n;
        ASSERT_EQ(at[3 * count + i], l2) << n;
      }
    }
  }
};

VICINAL_FOR_EVERY_TARGET(StoredDistances);

TEST_P(StoredDistances, AreThoseOfTheDecodedRowInEveryForm_K7) {
  for (const std::size_t n : lengths()) {
    check(halves(n), table().float16, n);
    check(scaled(n), table().scaled, n);
  }
}

}  // namespace
}  // namespace vicinal::kernels::testing
