// Private to kernels/: the tables behind dispatch.cc. They are constants.
//
// A tier replaces the int8 functions of a Highway target where the packaged Highway lacks the
// instruction. Its functions may be called only when its `..._supported()` says so.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/kernels.h"

namespace vicinal::kernels {

/// A compiled table and the bit by which Highway reports that the CPU executes it.
struct HighwayTarget {
  std::int64_t bit;
  const KernelTable* table;
};

/// The Highway targets of this build, best first.
std::vector<HighwayTarget> highway_targets();

/// The int8 functions of a tier; null where the architecture has no such tier.
struct CodeTier {
  decltype(KernelTable::dot_i8) dot_i8 = nullptr;
  decltype(KernelTable::sum_i8) sum_i8 = nullptr;
  decltype(KernelTable::distance_i8_many) distance_i8_many = nullptr;
  decltype(KernelTable::distance_sketch_many) distance_sketch_many = nullptr;
};

/// AVX-512 VNNI: vpdpbusd. Beside avx3.
CodeTier vnni_tier();
bool vnni_supported();

/// ARMv8.2 dot product: SDOT. Beside neon.
CodeTier neon_dotprod_tier();
bool neon_dotprod_supported();

}  // namespace vicinal::kernels
