// Prefetching the rows of a batch: which lines, and how many rows ahead.
//
// Stateless; any thread. A prefetch never faults, so a look-ahead needs no bounds beyond `count`.
#pragma once

#include <cstddef>

namespace vicinal::kernels {

inline constexpr std::size_t kLineBytes = 64;
inline constexpr std::size_t kRowsPerPass = 4;
/// Rows between the one being prefetched and the one being computed. Measured
/// (vicinal-bench-kernels, Zen 3, huge pages, ns per scattered row with 4 / 8 / 12 / 16 ahead):
/// int8 of 384 dimensions 90 / 77 / 84 / 92, of 128 42 / 37 / 36 / 40; float32 of 384 264 / 189 /
/// 259 / 251.
inline constexpr std::size_t kRowsAhead = 8;

/// Asks for every line of [address, address + bytes).
__attribute__((always_inline)) inline void prefetch_row(const void* address, std::size_t bytes) {
  const char* line = static_cast<const char*>(address);
  for (std::size_t offset = 0; offset < bytes; offset += kLineBytes) {
    __builtin_prefetch(line + offset, 0, 3);
  }
}

}  // namespace vicinal::kernels
