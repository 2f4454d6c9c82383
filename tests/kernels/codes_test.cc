// int8 codes: exact dots (K1), distances, encoding, on every target.
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/kernels/support.h"

namespace vicinal::kernels::testing {
namespace {

class Codes : public TargetTest {};
VICINAL_FOR_EVERY_TARGET(Codes);

void fill_codes(std::int8_t* codes, std::size_t n, std::uint32_t seed) {
  std::mt19937 random(seed);
  for (std::size_t i = 0; i < n; ++i) {
    codes[i] = static_cast<std::int8_t>(static_cast<int>(random() % 255) - 127);
  }
}

std::int64_t dot_oracle(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += std::int64_t{a[i]} * b[i];
  return sum;
}

TEST_P(Codes, DotsAndSumsAreExact_K1_K3) {
  const GuardedPages a_pages(4096);
  const GuardedPages b_pages(4096);
  for (std::size_t bytes = 64; bytes <= 4096; bytes += 64) {
    std::int8_t* const a = a_pages.at_end<std::int8_t>(bytes);
    std::int8_t* const b = b_pages.at_end<std::int8_t>(bytes);
    fill_codes(a, bytes, 1);
    fill_codes(b, bytes, 2);
    ASSERT_EQ(table().dot_i8(a, b, bytes), dot_oracle(a, b, bytes)) << bytes;
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < bytes; ++i) sum += a[i];
    ASSERT_EQ(table().sum_i8(a, bytes), sum) << bytes;
  }
}

TEST_P(Codes, ExtremesDoNotSaturate_K1) {
  constexpr int kMost = 65536;  // dimensions
  const GuardedPages a_pages(kMost);
  const GuardedPages b_pages(kMost);
  std::int8_t* const a = a_pages.at_start<std::int8_t>();
  std::int8_t* const b = b_pages.at_start<std::int8_t>();
  for (const int a_code : {127, -127, 0}) {
    for (const int b_code : {127, -127, 1}) {
      std::memset(a, a_code, kMost);
      std::memset(b, b_code, kMost);
      ASSERT_EQ(table().dot_i8(a, b, kMost), kMost * a_code * b_code);
      for (std::size_t i = 0; i < kMost; i += 2) b[i] = static_cast<std::int8_t>(-b_code);
      ASSERT_EQ(table().dot_i8(a, b, kMost), 0);
      ASSERT_EQ(table().sum_i8(a, kMost), kMost * a_code);
    }
  }
}

// Where rows are packed, a row may be the query of others: it need not be aligned either.
void expect_distances_of(const KernelTable& table, std::size_t dimension, std::size_t stride) {
  constexpr std::uint32_t kRows = 22;
  CodeRows rows(stride, kRows);
  std::vector<std::uint32_t> ids;
  for (std::uint32_t id = 0; id < kRows; ++id) {
    fill_codes(rows.codes(id), dimension, 100 + id);
    rows.meta(id) = {0.001f * static_cast<float>(id + 1), 0.25f * static_cast<float>(id)};
    ids.push_back((id * 5) % kRows);
  }
  std::memset(rows.codes(3), -127, dimension);
  const std::size_t bytes = code_bytes(dimension);
  const GuardedPages query_pages(bytes + 8);
  const bool aligned = stride % 64 == 0;
  std::int8_t* const query =
      aligned ? query_pages.at_end<std::int8_t>(bytes) : query_pages.at_start<std::int8_t>() + 8;
  std::memset(query, 0, bytes);
  for (const bool extreme : {false, true}) {
    fill_codes(query, dimension, 7);
    if (extreme) std::memset(query, 127, dimension);
    const CodeQuery prepared = {query, bytes, -0.002f, 1.5f, table.sum_i8(query, bytes)};
    for (std::size_t count = 0; count <= kRows; ++count) {
      std::vector<float> out(count + 1, -7.0f);
      const Rows rows_are = count % 2 == 0 ? Rows::kScattered : Rows::kCached;
      table.distance_i8_many(prepared, rows.table(), ids.data(), count, rows_are, out.data());
      for (std::size_t i = 0; i < count; ++i) {
        const CodeMeta& meta = rows.meta(ids[i]);
        const auto dot = static_cast<double>(dot_oracle(query, rows.codes(ids[i]), dimension));
        const double term = -0.002f * double{meta.scale} * dot;
        const double expected = 1.5 + double{meta.bias} + term;
        ASSERT_NEAR(out[i], expected, (8 + std::abs(term)) * 0x1p-22) << "row " << i;
      }
      ASSERT_EQ(out[count], -7.0f);
    }
  }
}

TEST_P(Codes, DistancesOfABatchAreWhatTheFormulaSays_K1_K3) {
  for (const std::size_t dimension :
       {1u, 55u, 56u, 57u, 64u, 100u, 128u, 184u, 300u, 384u, 768u, 1536u}) {
    for (const std::size_t stride : {code_stride(dimension), packed_code_stride(dimension)}) {
      SCOPED_TRACE(::testing::Message() << dimension << " dimensions, stride " << stride);
      ASSERT_NO_FATAL_FAILURE(expect_distances_of(table(), dimension, stride));
    }
  }
}

TEST_P(Codes, EncodingIsTheNearestCodeAndItsSums_K3) {
  const GuardedPages input_pages(1536 * sizeof(float));
  const GuardedPages code_pages(1536);
  for (const std::size_t n : lengths()) {
    const std::size_t bytes = code_bytes(n);
    float* const v = input_pages.at_end<float>(n);
    std::int8_t* const codes = code_pages.at_end<std::int8_t>(bytes);
    for (const float magnitude : {1.0f, 1e30f, 1e-30f, 1e-39f}) {
      const std::vector<float> values = random_floats(n, 11, magnitude);
      std::memcpy(v, values.data(), n * sizeof(float));
      std::memset(codes, 99, bytes);
      const KernelTable::Encoded encoded = table().encode_i8(v, n, bytes, codes);
      double largest = 0;
      for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(double{v[i]}));
      ASSERT_NEAR(encoded.step, largest / 127, largest * 1e-7 + 1e-45) << n;
      std::int64_t squares = 0;
      std::int64_t sum = 0;
      double inner = 0;
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_LE(std::abs(v[i] * (127 / largest) - codes[i]), 0.5 + 1e-4) << n << " at " << i;
        squares += std::int64_t{codes[i]} * codes[i];
        sum += codes[i];
        inner += double{v[i]} * codes[i];
      }
      ASSERT_EQ(encoded.sum_squares, squares);
      ASSERT_EQ(encoded.sum, sum);
      ASSERT_NEAR(encoded.inner, inner, std::abs(inner) * 1e-6 + 1e-44);
      for (std::size_t i = n; i < bytes; ++i) ASSERT_EQ(codes[i], 0) << n << " at " << i;
    }
  }
}

TEST_P(Codes, EncodingTakesZerosAndLimits) {
  std::vector<std::int8_t> codes(320, 99);
  const std::vector<float> zeros(300, -0.0f);
  KernelTable::Encoded encoded = table().encode_i8(zeros.data(), 300, 320, codes.data());
  EXPECT_EQ(encoded.step, 0.0f);
  EXPECT_EQ(encoded.sum_squares, 0);
  EXPECT_EQ(encoded.inner, 0.0f);
  for (const std::int8_t code : codes) ASSERT_EQ(code, 0);
  for (const float largest :
       {std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min(), 1.0f, 3.0f}) {
    std::vector<float> v(300, largest);
    v[299] = -largest;
    encoded = table().encode_i8(v.data(), 300, 320, codes.data());
    EXPECT_EQ(codes[0], 127) << largest;
    EXPECT_EQ(codes[299], -127) << largest;
    EXPECT_EQ(encoded.sum, 298 * 127) << largest;
    EXPECT_EQ(encoded.sum_squares, 300 * 127 * 127) << largest;
  }
}

}  // namespace
}  // namespace vicinal::kernels::testing
