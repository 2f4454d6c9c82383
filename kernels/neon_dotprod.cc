// The int8 tier for ARMv8.2 dot product: SDOT adds four signed products into 32 bits.
//
// Written by hand because Highway 1.0.3 has no such operation. Everything between PUSH and POP may
// run only after neon_dotprod_supported() said yes (K4).
#include "kernels/tiers.h"

#if defined(__aarch64__) && defined(__linux__)

#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

#include <cstddef>
#include <cstdint>

#include "hwy/base.h"
#include "kernels/kernels.h"
#include "kernels/prefetch.h"

HWY_PUSH_ATTRIBUTES("arch=armv8.2-a+dotprod")
namespace vicinal::kernels::neon_dotprod {

struct FourDots {
  std::int32_t dot[4];
};

HWY_INLINE FourDots dot_four(const std::int8_t* q, const std::int8_t* const* rows,
                             std::size_t bytes, std::int32_t /*query_sum*/) {
  int32x4_t s0 = vdupq_n_s32(0), s1 = s0, s2 = s0, s3 = s0;
  for (std::size_t i = 0; i < bytes; i += 16) {
    const int8x16_t query = vld1q_s8(q + i);
    s0 = vdotq_s32(s0, query, vld1q_s8(rows[0] + i));
    s1 = vdotq_s32(s1, query, vld1q_s8(rows[1] + i));
    s2 = vdotq_s32(s2, query, vld1q_s8(rows[2] + i));
    s3 = vdotq_s32(s3, query, vld1q_s8(rows[3] + i));
  }
  FourDots dots;
  vst1q_s32(dots.dot, vpaddq_s32(vpaddq_s32(s0, s1), vpaddq_s32(s2, s3)));
  return dots;
}

HWY_INLINE std::int32_t dot_one(const std::int8_t* a, const std::int8_t* b, std::size_t bytes) {
  int32x4_t even = vdupq_n_s32(0), odd = even;
  for (std::size_t i = 0; i < bytes; i += 32) {
    even = vdotq_s32(even, vld1q_s8(a + i), vld1q_s8(b + i));
    odd = vdotq_s32(odd, vld1q_s8(a + i + 16), vld1q_s8(b + i + 16));
  }
  return vaddvq_s32(vaddq_s32(even, odd));
}

#include "kernels/code_loops-inl.h"

}  // namespace vicinal::kernels::neon_dotprod
HWY_POP_ATTRIBUTES

namespace vicinal::kernels {

CodeTier neon_dotprod_tier() {
  return {neon_dotprod::dot_i8, neon_dotprod::sum_i8, neon_dotprod::distance_i8_many};
}

bool neon_dotprod_supported() { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }

}  // namespace vicinal::kernels

#else

namespace vicinal::kernels {
CodeTier neon_dotprod_tier() { return {}; }
bool neon_dotprod_supported() { return false; }
}  // namespace vicinal::kernels

#endif
