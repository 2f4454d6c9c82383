#include "bench/kernels/ceilings.h"

#include <cstring>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace vicinal::bench {

// Four sums hide the latency of the additions. A function each, because the compiler splits a
// vector that is wider than what its function's target has.
#define VICINAL_LOAD_ROW(name, width, attributes)                          \
  attributes std::uint64_t name(const std::byte* row, std::size_t bytes) { \
    using Vector [[gnu::vector_size(width)]] = std::uint64_t;              \
    Vector sums[4] = {};                                                   \
    const std::size_t step = 4 * width < 64 ? 4 * width : 64;              \
    for (std::size_t offset = 0; offset < bytes; offset += step) {         \
      for (std::size_t i = 0; i < step / width; ++i) {                     \
        Vector loaded;                                                     \
        std::memcpy(&loaded, row + offset + i * width, width);             \
        sums[i] |= loaded;                                                 \
      }                                                                    \
    }                                                                      \
    const Vector all = (sums[0] | sums[1]) | (sums[2] | sums[3]);          \
    return all[0];                                                         \
  }

namespace {

VICINAL_LOAD_ROW(load_row_16, 16, )
#if defined(__x86_64__)
VICINAL_LOAD_ROW(load_row_32, 32, [[gnu::target("avx2")]])
VICINAL_LOAD_ROW(load_row_64, 64, [[gnu::target("avx512f")]])
#endif

}  // namespace

#undef VICINAL_LOAD_ROW

std::size_t load_bytes(std::string_view target) {
  if (target.starts_with("avx3")) return 64;
  return target == "avx2" ? 32 : 16;
}

std::uint64_t load_row(const std::byte* row, std::size_t bytes, std::size_t width) {
#if defined(__x86_64__)
  if (width == 64) return load_row_64(row, bytes);
  if (width == 32) return load_row_32(row, bytes);
#endif
  (void)width;
  return load_row_16(row, bytes);
}

std::optional<std::uint64_t> cycles() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return std::nullopt;
#endif
}

}  // namespace vicinal::bench
