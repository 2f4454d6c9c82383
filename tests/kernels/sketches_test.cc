// Sketch rows: exact sums (K1), the reference's bits (K5), nothing read outside (K3), on every
// target.
#include <cstring>
#include <set>

#include "tests/kernels/support.h"

namespace vicinal::kernels::testing {
namespace {

class Sketches : public TargetTest {};
VICINAL_FOR_EVERY_TARGET(Sketches);

const std::vector<std::size_t> kDimensions = {1,   55,  56,  57,  100, 223, 224, 225,  256,
                                              300, 384, 480, 481, 768, 992, 993, 1536, 3072};

std::uint32_t level_of(const std::byte* row, std::size_t place) {
  const auto packed = std::to_integer<std::uint32_t>(row[place / 256 * 64 + place % 64]);
  return packed >> (place % 256 / 64 * 2) & 3;
}

TEST(SketchPlaces, AreDistinctAndLeaveTheMetaAlone) {
  for (const std::size_t dimension : kDimensions) {
    const std::size_t stride = sketch_stride(dimension);
    std::set<std::size_t> places;
    for (std::size_t i = 0; i < dimension; ++i) {
      const std::size_t place = sketch_place(i, stride);
      ASSERT_LT(place, 4 * sketch_bytes(stride)) << dimension;
      ASSERT_LT(place / 256 * 64 + place % 64, stride - sizeof(CodeMeta)) << dimension << ", " << i;
      places.insert(place);
    }
    EXPECT_EQ(places.size(), dimension);
    EXPECT_EQ(stride % 8, 0u);
    EXPECT_LE(stride, (dimension + 255) / 256 * 64 + sizeof(CodeMeta)) << dimension;
  }
}

// Dimensions that fill their lines are those of embeddings: no line of memory for 8 bytes.
TEST(Strides, OfWholeLinesAreTheLinesAndAMeta) {
  for (const std::size_t dimension : {256u, 512u, 768u, 1024u, 1536u, 3072u}) {
    EXPECT_EQ(sketch_stride(dimension), dimension / 4 + sizeof(CodeMeta));
    EXPECT_EQ(packed_code_stride(dimension), dimension + sizeof(CodeMeta));
  }
  EXPECT_EQ(packed_code_stride(300), 320u);
  EXPECT_EQ(sketch_stride(300), 128u);
  EXPECT_EQ(packed_code_stride(60), 72u);
}

TEST_P(Sketches, DistancesHaveTheReferenceBits_K1_K3_K5) {
  constexpr std::uint32_t kRows = 7;
  for (const std::size_t dimension : kDimensions) {
    const std::size_t stride = sketch_stride(dimension);
    const GuardedPages row_pages(kRows * stride);
    const std::size_t bytes = sketch_bytes(stride);
    const GuardedPages query_pages(4 * bytes);
    auto* const base = row_pages.at_end<std::byte>(kRows * stride);
    auto* const query = query_pages.at_end<std::int8_t>(4 * bytes);
    const std::byte* const segment = base;
    const RowTable table_of_rows = {&segment, 8, 255, stride};
    std::mt19937 random(static_cast<std::uint32_t>(dimension));
    for (const bool extreme : {false, true}) {
      // Places of no component hold anything in the rows, nothing in the query.
      for (std::size_t i = 0; i < kRows * stride; ++i) {
        base[i] = extreme ? std::byte{0xFF} : static_cast<std::byte>(random());
      }
      for (std::uint32_t r = 0; r < kRows; ++r) {
        const CodeMeta meta = {0.003f + 0.0001f * static_cast<float>(r),
                               0.3f * static_cast<float>(r)};
        std::memcpy(base + (r + 1) * stride - sizeof(meta), &meta, sizeof(meta));
      }
      std::memset(query, 0, 4 * bytes);
      std::int32_t sum = 0;
      for (std::size_t i = 0; i < dimension; ++i) {
        const int code = extreme ? -127 : static_cast<int>(random() % 255) - 127;
        query[sketch_place(i, stride)] = static_cast<std::int8_t>(code);
        sum += code;
      }
      const CodeQuery prepared = {query, bytes, -0.0078f, 1.0f / 3.0f, sum};
      for (std::uint32_t count = 0; count <= kRows; ++count) {
        const std::vector<std::uint32_t> ids = {6, 0, 3, 1, 5, 2, 4};
        std::vector<float> out(kRows + 1, -7.0f);
        const Rows where = count % 2 == 0 ? Rows::kScattered : Rows::kCached;
        table().distance_sketch_many(prepared, table_of_rows, ids.data(), count, where, out.data());
        for (std::uint32_t i = 0; i < count; ++i) {
          const std::byte* const row = base + ids[i] * stride;
          std::int32_t dot = 0;
          for (std::size_t c = 0; c < dimension; ++c) {
            const std::size_t place = sketch_place(c, stride);
            dot += query[place] * (2 * static_cast<std::int32_t>(level_of(row, place)) - 3);
          }
          const CodeMeta& meta = code_meta(row, stride);
          const float factor = prepared.factor * meta.scale;
          const float expected = (prepared.bias + meta.bias) + factor * static_cast<float>(dot);
          ASSERT_EQ(std::memcmp(&out[i], &expected, sizeof expected), 0)
              << dimension << ", row " << i << ": " << out[i] << ", not " << expected;
        }
        ASSERT_EQ(out[count], -7.0f);
      }
    }
  }
}

}  // namespace
}  // namespace vicinal::kernels::testing
