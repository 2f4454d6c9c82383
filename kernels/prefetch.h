// Prefetching the rows of a batch: which lines, and how many rows ahead.
//
// Stateless; any thread. A prefetch never faults, so a look-ahead needs no bounds beyond `count`.
#pragma once

#include <cstddef>

namespace vicinal::kernels {

inline constexpr std::size_t kLineBytes = 64;
inline constexpr std::size_t kRowsPerPass = 4;
/// Rows between the one being prefetched and the one being computed.
inline constexpr std::size_t kRowsAhead = 4;

/// Asks for every line of [address, address + bytes).
__attribute__((always_inline)) inline void prefetch_row(const void* address, std::size_t bytes) {
  const char* line = static_cast<const char*>(address);
  for (std::size_t offset = 0; offset < bytes; offset += kLineBytes) {
    __builtin_prefetch(line + offset, 0, 3);
  }
}

}  // namespace vicinal::kernels
