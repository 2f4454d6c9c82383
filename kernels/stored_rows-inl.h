// float32 to the types that rows are stored in, and back. Included once per CPU target.
//
// K7: float16 is rounded with integers, since what targets below AVX2 do in its place truncates. The
// scale of an int8 row has 17 significant bits, so that its product with a code of 7 is exact; it is
// cut and not rounded, so that 127 * scale is at most max|v|, and encoding what was decoded gives the
// same row.
#if defined(VICINAL_KERNELS_STORED_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef VICINAL_KERNELS_STORED_ROWS_INL_H_
#undef VICINAL_KERNELS_STORED_ROWS_INL_H_
#else
#define VICINAL_KERNELS_STORED_ROWS_INL_H_
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "hwy/highway.h"
#include "kernels/encode-inl.h"
#include "kernels/float_distances-inl.h"
#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace vicinal::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

HWY_INLINE std::uint16_t nearest_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
  constexpr std::uint32_t kInfinite = 0x477FF000u;  // 65,520: halfway from 65,504 to 65,536
  constexpr std::uint32_t kNormal = 0x38800000u;    // 2^-14
  if (magnitude >= kInfinite) {
    return static_cast<std::uint16_t>(sign | (magnitude > 0x7F800000u ? 0x7E00u : 0x7C00u));
  }
  if (magnitude < kNormal) {
    // The adder rounds: the unit in the last place of 0.5 is that of a denormal float16.
    const float sum = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(sum) - 0x3F000000u));
  }
  const std::uint32_t odd = magnitude >> 13 & 1u;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xFFFu + odd) >> 13));
}

inline void encode_f16(const float* v, std::size_t n, std::uint16_t* out) {
  for (std::size_t i = 0; i < n; ++i) out[i] = nearest_f16(v[i]);
}

inline void decode_f16(const std::uint16_t* v, std::size_t n, float* out) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<hwy::float16_t, decltype(d)> narrow;
  const std::size_t lanes = hn::Lanes(d);
  const auto* const halves = reinterpret_cast<const hwy::float16_t*>(v);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(hn::PromoteTo(d, hn::LoadU(narrow, halves + i)), d, out + i);
  }
  for (; i < n; ++i) out[i] = widened_f16(v[i]);
}

inline float encode_scaled(const float* v, std::size_t n, std::int8_t* codes) {
  constexpr std::uint32_t kSeventeenBits = 0xFFFFFF80u;  // of the 24 of a float
  const float step = largest_magnitude(v, n) / kMaxCode;
  const float scale = std::bit_cast<float>(std::bit_cast<std::uint32_t>(step) & kSeventeenBits);
  if (!(scale >= std::numeric_limits<float>::min())) {
    std::memset(codes, 0, n);
    return 0;
  }
  quantize_all(v, n, 1.0f, 1.0f / scale, codes);
  return scale;
}

inline void decode_scaled(const std::int8_t* codes, float scale, std::size_t n, float* out) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<std::int32_t, decltype(d)> wide;
  const hn::Rebind<std::int8_t, decltype(d)> narrow;
  const std::size_t lanes = hn::Lanes(d);
  const auto scales = hn::Set(d, scale);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto wide_codes = hn::PromoteTo(wide, hn::LoadU(narrow, codes + i));
    hn::StoreU(hn::Mul(hn::ConvertTo(d, wide_codes), scales), d, out + i);
  }
  for (; i < n; ++i) out[i] = static_cast<float>(codes[i]) * scale;
}

}  // namespace HWY_NAMESPACE
}  // namespace vicinal::kernels
HWY_AFTER_NAMESPACE();
#endif
