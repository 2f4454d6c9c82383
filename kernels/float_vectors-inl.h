// What is done to one float32 vector: norm, scaling, the finiteness check. Included once per CPU
// target.
//
// norm_f32 sums in eight fixed lanes (index mod 8) of double and adds them by a fixed tree. The
// square of a float is exact in double, so FMA or not makes no difference and the norm has the same
// bits on every target (K5): codes are made from normalised vectors, so this counts.
#if defined(VICINAL_KERNELS_FLOAT_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef VICINAL_KERNELS_FLOAT_VECTORS_INL_H_
#undef VICINAL_KERNELS_FLOAT_VECTORS_INL_H_
#else
#define VICINAL_KERNELS_FLOAT_VECTORS_INL_H_
#endif

#include <cmath>
#include <cstddef>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace vicinal::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr std::size_t kDoubleLanes = 8;

/// The fixed tree over the eight lanes.
HWY_INLINE double sum_lanes(const double* lane) {
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

#if HWY_HAVE_SCALABLE || HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

HWY_INLINE std::size_t add_squares(const float* v, std::size_t n, double* lane) {
  std::size_t i = 0;
  for (; i + kDoubleLanes <= n; i += kDoubleLanes) {
    for (std::size_t k = 0; k < kDoubleLanes; ++k) {
      lane[k] += static_cast<double>(v[i + k]) * static_cast<double>(v[i + k]);
    }
  }
  return i;
}

#else

HWY_INLINE std::size_t add_squares(const float* v, std::size_t n, double* lane) {
  const hn::CappedTag<double, kDoubleLanes> d;
  const hn::Rebind<float, decltype(d)> narrow;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  constexpr std::size_t kVectors = kDoubleLanes / kLanes;
  hn::Vec<decltype(d)> sums[kVectors];
  for (std::size_t k = 0; k < kVectors; ++k) sums[k] = hn::Zero(d);
  std::size_t i = 0;
  for (; i + kDoubleLanes <= n; i += kDoubleLanes) {
    for (std::size_t k = 0; k < kVectors; ++k) {
      const auto x = hn::PromoteTo(d, hn::LoadU(narrow, v + i + k * kLanes));
      sums[k] = hn::MulAdd(x, x, sums[k]);
    }
  }
  for (std::size_t k = 0; k < kVectors; ++k) hn::StoreU(sums[k], d, lane + k * kLanes);
  return i;
}

#endif

inline double norm_f32(const float* v, std::size_t n) {
  double lane[kDoubleLanes] = {};
  for (std::size_t i = add_squares(v, n, lane); i < n; ++i) {
    lane[i % kDoubleLanes] += static_cast<double>(v[i]) * static_cast<double>(v[i]);
  }
  return std::sqrt(sum_lanes(lane));
}

inline void scale_f32(const float* v, float factor, std::size_t n, float* out) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto factors = hn::Set(d, factor);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(hn::Mul(hn::LoadU(d, v + i), factors), d, out + i);
  for (; i < n; ++i) out[i] = v[i] * factor;
}

inline bool all_finite_f32(const float* v, std::size_t n) {
  // x - x is +0 for a finite x and NaN otherwise; NaN survives any sum.
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  auto differences = hn::Zero(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto x = hn::LoadU(d, v + i);
    differences = hn::Or(differences, hn::Sub(x, x));
  }
  float rest = 0;
  for (; i < n; ++i) rest += v[i] - v[i];
  return rest == 0.0f && hn::AllTrue(d, hn::Eq(differences, hn::Zero(d)));
}

}  // namespace HWY_NAMESPACE
}  // namespace vicinal::kernels
HWY_AFTER_NAMESPACE();
#endif
