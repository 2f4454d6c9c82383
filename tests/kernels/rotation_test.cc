// The rotation keeps norms and inner products and spreads a single component.
#include <cmath>
#include <cstring>

#include "tests/kernels/support.h"

namespace vicinal::kernels::testing {
namespace {

class Rotation : public TargetTest {};
VICINAL_FOR_EVERY_TARGET(Rotation);

double dot(const float* a, const float* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

TEST_P(Rotation, KeepsNormsAndInnerProducts_K3) {
  const GuardedPages a_pages(1536 * sizeof(float));
  const GuardedPages b_pages(1536 * sizeof(float));
  for (const std::size_t n : lengths()) {
    const std::vector<float> signs = make_rotation_signs(n, 42);
    const std::vector<float> a_in = random_floats(n, 1);
    const std::vector<float> b_in = random_floats(n, 2);
    float* const a = a_pages.at_end<float>(n);
    float* const b = b_pages.at_start<float>();
    std::memcpy(a, a_in.data(), n * sizeof(float));
    std::memcpy(b, b_in.data(), n * sizeof(float));
    table().rotate_f32(a, signs.data(), n);
    table().rotate_f32(b, signs.data(), n);
    const double size =
        std::sqrt(dot(a_in.data(), a_in.data(), n) * dot(b_in.data(), b_in.data(), n));
    ASSERT_NEAR(dot(a, b, n), dot(a_in.data(), b_in.data(), n), 4e-6 * size) << n;
    ASSERT_NEAR(dot(a, a, n), dot(a_in.data(), a_in.data(), n), 4e-6 * dot(a, a, n)) << n;
  }
}

TEST_P(Rotation, SpreadsASingleComponent) {
  for (const std::size_t n : {128, 300, 384, 1536}) {
    const std::vector<float> signs = make_rotation_signs(n, 7);
    for (const std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
      std::vector<float> v(n, 0.0f);
      v[at] = 1.0f;
      table().rotate_f32(v.data(), signs.data(), n);
      for (const float x : v) ASSERT_LT(std::abs(x), 6.0f / std::sqrt(static_cast<float>(n))) << n;
    }
  }
}

TEST(RotationSigns, AreReproducibleAndBalanced) {
  const std::vector<float> signs = make_rotation_signs(1000, 1);
  ASSERT_EQ(signs.size(), 4000u);
  EXPECT_EQ(signs, make_rotation_signs(1000, 1));
  EXPECT_NE(signs, make_rotation_signs(1000, 2));
  double sum = 0;
  for (const float sign : signs) {
    ASSERT_TRUE(sign == 1.0f || sign == -1.0f);
    sum += sign;
  }
  EXPECT_LT(std::abs(sum), 300);
}

}  // namespace
}  // namespace vicinal::kernels::testing
