// How much a test does where the thread sanitizer makes it ten times as slow.
#pragma once

#include <cstddef>

namespace vicinal::testing {

/// Of so many rows or rounds a fifth: the thread sanitizer wants threads, not many of them.
constexpr std::size_t for_sanitizer(std::size_t many) {
#if defined(__SANITIZE_THREAD__)
  return many / 5;
#else
  return many;
#endif
}

}  // namespace vicinal::testing
