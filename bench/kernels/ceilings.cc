#include "bench/kernels/ceilings.h"

#include <cstring>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace vicinal::bench {

// Four sums, kept across rows: one would wait for itself where a CPU loads twice a cycle, and adding
// them up for every row costs more than a short row's loads. A function each, because the compiler
// splits a vector that is wider than what its function's target has.
#define VICINAL_ADD(sum, from)                 \
  do {                                         \
    Vector loaded;                             \
    std::memcpy(&loaded, from, sizeof loaded); \
    (sum) |= loaded;                           \
  } while (false)

#define VICINAL_LOAD_ROWS(name, width, attributes)                               \
  attributes std::uint64_t name(const std::byte* rows, const std::uint32_t* ids, \
                                std::size_t count, std::size_t bytes) {          \
    using Vector [[gnu::vector_size(width)]] = std::uint64_t;                    \
    constexpr std::size_t kWidth = (width);                                      \
    Vector a = {}, b = {}, c = {}, d = {};                                       \
    for (std::size_t r = 0; r < count; ++r) {                                    \
      const std::byte* at = rows + ids[r] * bytes;                               \
      const std::byte* const end = at + bytes;                                   \
      for (; at + 4 * kWidth <= end; at += 4 * kWidth) {                         \
        VICINAL_ADD(a, at);                                                      \
        VICINAL_ADD(b, at + kWidth);                                             \
        VICINAL_ADD(c, at + 2 * kWidth);                                         \
        VICINAL_ADD(d, at + 3 * kWidth);                                         \
      }                                                                          \
      if (at < end) VICINAL_ADD(a, at);                                          \
      if (at + kWidth < end) VICINAL_ADD(b, at + kWidth);                        \
      if (at + 2 * kWidth < end) VICINAL_ADD(c, at + 2 * kWidth);                \
    }                                                                            \
    const Vector all = (a | b) | (c | d);                                        \
    return all[0];                                                               \
  }

namespace {

VICINAL_LOAD_ROWS(load_rows_16, 16, )
#if defined(__x86_64__)
VICINAL_LOAD_ROWS(load_rows_32, 32, [[gnu::target("avx2")]])
VICINAL_LOAD_ROWS(load_rows_64, 64, [[gnu::target("avx512f")]])
#endif

}  // namespace

#undef VICINAL_LOAD_ROWS
#undef VICINAL_ADD

std::size_t load_bytes(std::string_view target) {
  if (target.starts_with("avx3")) return 64;
  return target == "avx2" ? 32 : 16;
}

std::uint64_t load_rows(const std::byte* rows, const std::uint32_t* ids, std::size_t count,
                        std::size_t bytes, std::size_t width) {
#if defined(__x86_64__)
  if (width == 64) return load_rows_64(rows, ids, count, bytes);
  if (width == 32) return load_rows_32(rows, ids, count, bytes);
#endif
  (void)width;
  return load_rows_16(rows, ids, count, bytes);
}

std::optional<std::uint64_t> cycles() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return std::nullopt;
#endif
}

}  // namespace vicinal::bench
