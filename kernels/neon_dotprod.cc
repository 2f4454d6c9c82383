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

HWY_INLINE int32x4_t add_products(int32x4_t sums, int8x16_t a, int8x16_t b) {
  return vdotq_s32(sums, a, b);
}

// The loops are written with the dots: no sorting here.
// clang-format off
#include "kernels/neon_dots-inl.h"
#include "kernels/code_loops-inl.h"
// clang-format on

}  // namespace vicinal::kernels::neon_dotprod
HWY_POP_ATTRIBUTES

namespace vicinal::kernels {

CodeTier neon_dotprod_tier() {
  return {neon_dotprod::dot_i8, neon_dotprod::sum_i8, neon_dotprod::distance_i8_many,
          neon_dotprod::distance_sketch_many};
}

bool neon_dotprod_supported() { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }

}  // namespace vicinal::kernels

#else

namespace vicinal::kernels {
CodeTier neon_dotprod_tier() { return {}; }
bool neon_dotprod_supported() { return false; }
}  // namespace vicinal::kernels

#endif
