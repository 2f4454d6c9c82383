// K5: stores are portable between CPUs. Each target must give the bits of the plain loops here.
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/kernels/support.h"

namespace vicinal::kernels::testing {
namespace {

class Portability : public TargetTest {};
VICINAL_FOR_EVERY_TARGET(Portability);

void reference_hadamard(float* v, std::size_t p) {
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(p)));
  for (std::size_t i = 0; i < p; ++i) v[i] *= scale;
  for (std::size_t h = 1; h < p; h *= 2) {
    for (std::size_t i = 0; i < p; ++i) {
      if ((i & h) != 0) continue;
      const float a = v[i];
      const float b = v[i + h];
      v[i] = a + b;
      v[i + h] = a - b;
    }
  }
}

void reference_rotate(float* v, const float* signs, std::size_t n) {
  std::size_t p = 1;
  while (2 * p <= n) p *= 2;
  for (std::size_t half_round = 0; half_round < 4; ++half_round) {
    for (std::size_t i = 0; i < n; ++i) v[i] *= signs[half_round * n + i];
    reference_hadamard(half_round % 2 == 0 ? v : v + n - p, p);
  }
}

double reference_lanes(const double* lane) {
  const double even = (lane[0] + lane[4]) + (lane[2] + lane[6]);
  return even + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

double reference_norm(const float* v, std::size_t n) {
  double lane[8] = {};
  for (std::size_t i = 0; i < n; ++i) lane[i % 8] += double{v[i]} * double{v[i]};
  return std::sqrt(reference_lanes(lane));
}

float reference_encode(const float* v, std::size_t n, std::int8_t* codes) {
  float largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, std::fabs(v[i]));
  const float lift = largest < 0x1p-100f ? 0x1p100f : 1.0f;
  const float factor = 127.0f / (largest * lift);
  double lane[8] = {};
  for (std::size_t i = 0; i < n; ++i) {
    codes[i] = static_cast<std::int8_t>(std::nearbyint((v[i] * lift) * factor));
    lane[i % 8] += double{v[i]} * static_cast<double>(codes[i]);
  }
  return static_cast<float>(reference_lanes(lane));
}

std::vector<std::vector<float>> inputs(std::size_t n) {
  std::vector<float> halves(n);  // exact ties of rounding: 63.5, 62.5, ...
  for (std::size_t i = 0; i < n; ++i)
    halves[i] = i == 0 ? 127.0f : 0.5f * static_cast<float>(i % 254);
  return {random_floats(n, 21), random_floats(n, 22, 1e30f), random_floats(n, 23, 1e-39f), halves};
}

TEST_P(Portability, RotateGivesTheReferenceBits_K5) {
  for (const std::size_t n : lengths()) {
    const std::vector<float> signs = make_rotation_signs(n, 3);
    for (const std::vector<float>& input : inputs(n)) {
      std::vector<float> expected = input;
      std::vector<float> got = input;
      reference_rotate(expected.data(), signs.data(), n);
      table().rotate_f32(got.data(), signs.data(), n);
      ASSERT_EQ(std::memcmp(got.data(), expected.data(), n * sizeof(float)), 0) << n;
    }
  }
}

TEST_P(Portability, EncodeGivesTheReferenceBits_K5) {
  for (const std::size_t n : lengths()) {
    for (const std::vector<float>& input : inputs(n)) {
      std::vector<std::int8_t> expected(code_bytes(n), 0);
      std::vector<std::int8_t> got(code_bytes(n), 1);
      const float inner = reference_encode(input.data(), n, expected.data());
      const KernelTable::Encoded encoded =
          table().encode_i8(input.data(), n, got.size(), got.data());
      ASSERT_EQ(got, expected) << n;
      ASSERT_EQ(std::memcmp(&encoded.inner, &inner, sizeof inner), 0) << n;
    }
  }
}

TEST_P(Portability, NormGivesTheReferenceBits_K5) {
  for (const std::size_t n : lengths()) {
    for (const std::vector<float>& input : inputs(n)) {
      ASSERT_EQ(table().norm_f32(input.data(), n), reference_norm(input.data(), n)) << n;
    }
  }
}

TEST_P(Portability, DistancesGiveTheReferenceBits_K5) {
  constexpr std::uint32_t kRows = 19;
  for (const std::size_t dimension : {1u, 57u, 128u, 300u, 384u}) {
    CodeRows rows(code_stride(dimension), kRows);
    std::vector<std::uint32_t> ids;
    for (std::uint32_t id = 0; id < kRows; ++id) {
      const std::vector<float> v = random_floats(dimension, id);
      table().encode_i8(v.data(), dimension, dimension, rows.codes(id));
      rows.meta(id) = {0.00787f + 0.0001f * static_cast<float>(id), 0.3f * static_cast<float>(id)};
      ids.push_back(kRows - 1 - id);
    }
    const std::size_t bytes = code_bytes(dimension);
    const GuardedPages query_pages(bytes);
    std::int8_t* const codes = query_pages.at_start<std::int8_t>();
    const std::vector<float> v = random_floats(dimension, 99);
    const KernelTable::Encoded encoded = table().encode_i8(v.data(), dimension, bytes, codes);
    const CodeQuery query = {codes, bytes, -encoded.step, 1.0f / 3.0f, encoded.sum};
    std::vector<float> out(kRows);
    table().distance_i8_many(query, rows.table(), ids.data(), kRows, Rows::kScattered, out.data());
    for (std::size_t i = 0; i < kRows; ++i) {
      std::int32_t dot = 0;
      for (std::size_t k = 0; k < dimension; ++k) dot += codes[k] * rows.codes(ids[i])[k];
      const CodeMeta& meta = rows.meta(ids[i]);
      const float factor = query.factor * meta.scale;
      const float expected = (query.bias + meta.bias) + factor * static_cast<float>(dot);
      ASSERT_EQ(std::memcmp(&out[i], &expected, sizeof expected), 0) << dimension << ", row " << i;
    }
  }
}

}  // namespace
}  // namespace vicinal::kernels::testing
