// float32 to int8 codes. Included once per CPU target.
//
// K5: the largest magnitude is exact, the rest is elementwise; rounding to the nearest even integer
// is the addition of 1.5 * 2^23, which every target's float adder does alike. The sum of v * code
// runs in eight fixed lanes of double; each product is exact there (24 + 7 bits).
#if defined(VICINAL_KERNELS_ENCODE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef VICINAL_KERNELS_ENCODE_INL_H_
#undef VICINAL_KERNELS_ENCODE_INL_H_
#else
#define VICINAL_KERNELS_ENCODE_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "kernels/float_vectors-inl.h"
#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace vicinal::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr float kRoundingMagic = 12582912.0f;  // 1.5 * 2^23
inline constexpr float kMaxCode = 127.0f;
// Below kTiny, 127 / max|v| would overflow; such vectors are lifted by a power of two first.
inline constexpr float kTiny = 0x1p-100f;
inline constexpr float kLift = 0x1p100f;

HWY_INLINE float largest_magnitude(const float* v, std::size_t n) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  auto largest = hn::Zero(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) largest = hn::Max(largest, hn::Abs(hn::LoadU(d, v + i)));
  float result = hn::GetLane(hn::MaxOfLanes(d, largest));
  for (; i < n; ++i) result = std::fabs(v[i]) > result ? std::fabs(v[i]) : result;
  return result;
}

HWY_INLINE std::int8_t quantize(float x, float lift, float factor) {
  const float rounded = ((x * lift) * factor + kRoundingMagic) - kRoundingMagic;
  return static_cast<std::int8_t>(rounded);
}

HWY_INLINE void quantize_all(const float* v, std::size_t n, float lift, float factor,
                             std::int8_t* codes) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<std::int32_t, decltype(d)> wide;
  const hn::Rebind<std::int8_t, decltype(d)> narrow;
  const std::size_t lanes = hn::Lanes(d);
  const auto lifts = hn::Set(d, lift);
  const auto factors = hn::Set(d, factor);
  const auto magic = hn::Set(d, kRoundingMagic);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto scaled = hn::Mul(hn::Mul(hn::LoadU(d, v + i), lifts), factors);
    const auto rounded = hn::Sub(hn::Add(scaled, magic), magic);
    hn::StoreU(hn::DemoteTo(narrow, hn::ConvertTo(wide, rounded)), narrow, codes + i);
  }
  for (; i < n; ++i) codes[i] = quantize(v[i], lift, factor);
}

/// Adds v * code to eight lanes of double for as many whole groups of eight as there are; returns
/// how many components that were.
#if HWY_HAVE_SCALABLE || HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

HWY_INLINE std::size_t add_products(const float* v, const std::int8_t* codes, std::size_t n,
                                    double* lane) {
  std::size_t i = 0;
  for (; i + kDoubleLanes <= n; i += kDoubleLanes) {
    for (std::size_t k = 0; k < kDoubleLanes; ++k) {
      lane[k] += static_cast<double>(v[i + k]) * static_cast<double>(codes[i + k]);
    }
  }
  return i;
}

#else

HWY_INLINE std::size_t add_products(const float* v, const std::int8_t* codes, std::size_t n,
                                    double* lane) {
  const hn::CappedTag<double, kDoubleLanes> d;
  const hn::Rebind<float, decltype(d)> narrow;
  const hn::Rebind<std::int32_t, decltype(d)> wide_codes;
  const hn::Rebind<std::int8_t, decltype(d)> narrow_codes;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  constexpr std::size_t kVectors = kDoubleLanes / kLanes;
  hn::Vec<decltype(d)> sums[kVectors];
  for (std::size_t k = 0; k < kVectors; ++k) sums[k] = hn::Zero(d);
  std::size_t i = 0;
  for (; i + kDoubleLanes <= n; i += kDoubleLanes) {
    for (std::size_t k = 0; k < kVectors; ++k) {
      const auto x = hn::PromoteTo(d, hn::LoadU(narrow, v + i + k * kLanes));
      const auto code = hn::LoadU(narrow_codes, codes + i + k * kLanes);
      sums[k] = hn::MulAdd(x, hn::PromoteTo(d, hn::PromoteTo(wide_codes, code)), sums[k]);
    }
  }
  for (std::size_t k = 0; k < kVectors; ++k) hn::StoreU(sums[k], d, lane + k * kLanes);
  return i;
}

#endif

/// Fills the sums of `encoded` from the vector and its codes.
HWY_INLINE void sum_codes(const float* v, const std::int8_t* codes, std::size_t n,
                          KernelTable::Encoded& encoded) {
  double lane[kDoubleLanes] = {};
  std::size_t i = add_products(v, codes, n, lane);
  for (; i < n; ++i) {
    lane[i % kDoubleLanes] += static_cast<double>(v[i]) * static_cast<double>(codes[i]);
  }
  encoded.inner = static_cast<float>(sum_lanes(lane));
  // A block's squares fit 32 bits: 65,536 * 127^2 < 2^31.
  constexpr std::size_t kBlock = 65536;
  for (std::size_t block = 0; block < n; block += kBlock) {
    const std::size_t end = std::min(n, block + kBlock);
    std::int32_t squares = 0;
    std::int32_t sum = 0;
    for (i = block; i < end; ++i) {
      const std::int32_t code = codes[i];
      squares += code * code;
      sum += code;
    }
    encoded.sum_squares += squares;
    encoded.sum += sum;
  }
}

inline KernelTable::Encoded encode_i8(const float* v, std::size_t n, std::size_t bytes,
                                      std::int8_t* codes) {
  KernelTable::Encoded encoded;
  const float largest = largest_magnitude(v, n);
  if (!(largest > 0.0f)) {
    std::memset(codes, 0, bytes);
    return encoded;
  }
  const float lift = largest < kTiny ? kLift : 1.0f;
  const float factor = kMaxCode / (largest * lift);
  encoded.step = largest / kMaxCode;
  quantize_all(v, n, lift, factor, codes);
  std::memset(codes + n, 0, bytes - n);
  sum_codes(v, codes, n, encoded);
  return encoded;
}

}  // namespace HWY_NAMESPACE
}  // namespace vicinal::kernels
HWY_AFTER_NAMESPACE();
#endif
