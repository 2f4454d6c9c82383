// The unit that Highway compiles once per CPU target; each pass ends in one table.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/kernels_impl.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h, as Highway wants it.
#include "hwy/highway.h"
#include "kernels/code_dots-inl.h"
#include "kernels/encode-inl.h"
#include "kernels/entries-inl.h"
#include "kernels/float_distances-inl.h"
#include "kernels/float_vectors-inl.h"
#include "kernels/kernels.h"
#include "kernels/rotation-inl.h"
#include "kernels/stored_rows-inl.h"
#include "kernels/tiers.h"

HWY_BEFORE_NAMESPACE();
namespace vicinal::kernels {
namespace HWY_NAMESPACE {

constexpr const char* target_name() {
  switch (HWY_TARGET) {
    case HWY_AVX3:
      return "avx3";
    case HWY_AVX2:
      return "avx2";
    case HWY_SSE4:
      return "sse4";
    case HWY_SSSE3:
      return "ssse3";
    case HWY_SVE2_128:
      return "sve2_128";
    case HWY_SVE_256:
      return "sve_256";
    case HWY_SVE2:
      return "sve2";
    case HWY_SVE:
      return "sve";
    case HWY_NEON:
      return "neon";
    case HWY_EMU128:
      return "emu128";
    case HWY_SCALAR:
      return "scalar";
    default:
      return "other";
  }
}

constexpr KernelTable kTable = {
    .name = target_name(),
    .dot_f32 = dot_f32,
    .squared_l2_f32 = squared_l2_f32,
    .float32 = row_distances<Float32Row>(),
    .float16 = row_distances<Float16Row>(),
    .scaled = row_distances<ScaledRow>(),
    .encode_f16 = encode_f16,
    .decode_f16 = decode_f16,
    .encode_scaled = encode_scaled,
    .decode_scaled = decode_scaled,
    .norm_f32 = norm_f32,
    .scale_f32 = scale_f32,
    .all_finite_f32 = all_finite_f32,
    .rotate_f32 = rotate_f32,
    .encode_i8 = encode_i8,
    .dot_i8 = dot_i8,
    .sum_i8 = sum_i8,
    .distance_i8_many = distance_i8_many,
    .distance_sketch_many = distance_sketch_many,
    .sorted_entries = sorted_entries,
};

}  // namespace HWY_NAMESPACE
}  // namespace vicinal::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vicinal::kernels {

static_assert((HWY_TARGETS &
               (HWY_AVX3 | HWY_AVX2 | HWY_SSE4 | HWY_SSSE3 | HWY_SVE2_128 | HWY_SVE_256 | HWY_SVE2 |
                HWY_SVE | HWY_NEON | HWY_EMU128 | HWY_SCALAR)) != 0,
              "none of the targets below is compiled");

std::vector<HighwayTarget> highway_targets() {
  return {
#if HWY_TARGETS & HWY_AVX3
    {HWY_AVX3, &N_AVX3::kTable},
#endif
#if HWY_TARGETS & HWY_AVX2
        {HWY_AVX2, &N_AVX2::kTable},
#endif
#if HWY_TARGETS & HWY_SSE4
        {HWY_SSE4, &N_SSE4::kTable},
#endif
#if HWY_TARGETS & HWY_SSSE3
        {HWY_SSSE3, &N_SSSE3::kTable},
#endif
#if HWY_TARGETS & HWY_SVE2_128
        {HWY_SVE2_128, &N_SVE2_128::kTable},
#endif
#if HWY_TARGETS & HWY_SVE_256
        {HWY_SVE_256, &N_SVE_256::kTable},
#endif
#if HWY_TARGETS & HWY_SVE2
        {HWY_SVE2, &N_SVE2::kTable},
#endif
#if HWY_TARGETS & HWY_SVE
        {HWY_SVE, &N_SVE::kTable},
#endif
#if HWY_TARGETS & HWY_NEON
        {HWY_NEON, &N_NEON::kTable},
#endif
#if HWY_TARGETS & HWY_EMU128
        {HWY_EMU128, &N_EMU128::kTable},
#endif
#if HWY_TARGETS & HWY_SCALAR
        {HWY_SCALAR, &N_SCALAR::kTable},
#endif
  };
}

}  // namespace vicinal::kernels
#endif
