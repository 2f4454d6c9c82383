// The orthonormal rotation: sign flips and Hadamard transforms. Included once per CPU target.
//
// K5: every butterfly is one add and one subtraction of the same two floats whatever the vector
// width, and the stages run in the order 1, 2, 4, ... The normalisation 1/sqrt(p), rounded once
// from double, is multiplied in before the first stage, with the sign: the same bits as one after
// the other.
#if defined(VICINAL_KERNELS_ROTATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef VICINAL_KERNELS_ROTATION_INL_H_
#undef VICINAL_KERNELS_ROTATION_INL_H_
#else
#define VICINAL_KERNELS_ROTATION_INL_H_
#endif

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace vicinal::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Stages [from, to) of a transform over p floats, one butterfly at a time.
HWY_INLINE void plain_stages(float* v, std::size_t p, std::size_t from, std::size_t to) {
  for (std::size_t h = from; h < to; h *= 2) {
    for (std::size_t block = 0; block < p; block += 2 * h) {
      for (std::size_t i = block; i < block + h; ++i) {
        const float a = v[i];
        const float b = v[i + h];
        v[i] = a + b;
        v[i + h] = a - b;
      }
    }
  }
}

#if HWY_HAVE_SCALABLE || HWY_TARGET == HWY_SCALAR

HWY_INLINE void stages_inside_vectors(float* v, const float* signs, std::size_t p, float scale) {
  for (std::size_t i = 0; i < p; ++i) v[i] *= signs[i] * scale;
  plain_stages(v, p, 1, hn::Lanes(hn::ScalableTag<float>()));
}

#else

/// One stage between lanes of a vector. `swapped` holds each lane's partner, `sign` 1 in the lanes
/// that add and -1 in those that subtract: a product with it is exact, so that this rounds once
/// with or without a fused instruction.
template <class V>
HWY_INLINE V stage_in_vector(V v, V swapped, V sign) {
  return hn::MulAdd(v, sign, swapped);
}

/// -1 in every lane whose index has bit `h`, else 1.
template <class D>
HWY_INLINE hn::Vec<D> lane_signs(D d, std::size_t h) {
  HWY_ALIGN float signs[hn::MaxLanes(D())];
  for (std::size_t i = 0; i < hn::MaxLanes(D()); ++i) signs[i] = (i & h) != 0 ? -1.0f : 1.0f;
  return hn::Load(d, signs);
}

HWY_INLINE void stages_inside_vectors(float* v, const float* signs, std::size_t p, float scale) {
  const hn::ScalableTag<float> d;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  const auto scales = hn::Set(d, scale);
  const auto sign1 = lane_signs(d, 1);
  const auto sign2 = lane_signs(d, 2);
  const auto sign4 = lane_signs(d, 4);
  const auto sign8 = lane_signs(d, 8);
  for (std::size_t i = 0; i < p; i += kLanes) {
    auto x = hn::Mul(hn::LoadU(d, v + i), hn::Mul(hn::LoadU(d, signs + i), scales));
    x = stage_in_vector(x, hn::Shuffle2301(x), sign1);
    x = stage_in_vector(x, hn::Shuffle1032(x), sign2);
#if HWY_TARGET <= HWY_AVX3
    x = stage_in_vector(x, hn::SwapAdjacentBlocks(x), sign4);
    x = stage_in_vector(x, hn::ConcatLowerUpper(d, x, x), sign8);
#elif HWY_TARGET == HWY_AVX2
    x = stage_in_vector(x, hn::ConcatLowerUpper(d, x, x), sign4);
#endif
    hn::StoreU(x, d, v + i);
  }
  (void)sign4;
  (void)sign8;
}

#endif

/// Stages h and 2h in one pass over memory; h is at least a vector.
HWY_INLINE void two_stages(float* v, std::size_t p, std::size_t h) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t block = 0; block < p; block += 4 * h) {
    for (std::size_t i = block; i < block + h; i += lanes) {
      const auto a = hn::LoadU(d, v + i);
      const auto b = hn::LoadU(d, v + i + h);
      const auto c = hn::LoadU(d, v + i + 2 * h);
      const auto e = hn::LoadU(d, v + i + 3 * h);
      const auto sum_ab = hn::Add(a, b);
      const auto difference_ab = hn::Sub(a, b);
      const auto sum_ce = hn::Add(c, e);
      const auto difference_ce = hn::Sub(c, e);
      hn::StoreU(hn::Add(sum_ab, sum_ce), d, v + i);
      hn::StoreU(hn::Add(difference_ab, difference_ce), d, v + i + h);
      hn::StoreU(hn::Sub(sum_ab, sum_ce), d, v + i + 2 * h);
      hn::StoreU(hn::Sub(difference_ab, difference_ce), d, v + i + 3 * h);
    }
  }
}

/// The last stage, h = p / 2.
HWY_INLINE void last_stage(float* v, std::size_t h) {
  const hn::ScalableTag<float> d;
  for (std::size_t i = 0; i < h; i += hn::Lanes(d)) {
    const auto a = hn::LoadU(d, v + i);
    const auto b = hn::LoadU(d, v + i + h);
    hn::StoreU(hn::Add(a, b), d, v + i);
    hn::StoreU(hn::Sub(a, b), d, v + i + h);
  }
}

/// Sign flips and a normalised transform over p floats.
HWY_INLINE void hadamard(float* v, const float* signs, std::size_t p, float scale) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<float>());
  if (p < lanes) {
    for (std::size_t i = 0; i < p; ++i) v[i] *= signs[i] * scale;
    plain_stages(v, p, 1, p);
    return;
  }
  stages_inside_vectors(v, signs, p, scale);
  std::size_t h = lanes;
  for (; h * 4 <= p; h *= 4) two_stages(v, p, h);
  if (h < p) last_stage(v, h);
}

HWY_INLINE void flip_signs(float* v, const float* signs, std::size_t n) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(hn::Mul(hn::LoadU(d, v + i), hn::LoadU(d, signs + i)), d, v + i);
  }
  for (; i < n; ++i) v[i] *= signs[i];
}

inline void rotate_f32(float* v, const float* signs, std::size_t n) {
  std::size_t p = 1;
  while (p * 2 <= n) p *= 2;
  const std::size_t rest = n - p;
  const float scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(p)));
  for (int round = 0; round < 2; ++round) {
    hadamard(v, signs, p, scale);
    flip_signs(v + p, signs + p, rest);
    signs += n;
    flip_signs(v, signs, rest);
    hadamard(v + rest, signs + rest, p, scale);
    signs += n;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace vicinal::kernels
HWY_AFTER_NAMESPACE();
#endif
