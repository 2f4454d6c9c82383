// Assertions and the one macro that hides a return. VICINAL_CHECK is always on and guards memory
// safety; VICINAL_DCHECK guards logic and is off under NDEBUG. Neither may fire on user input or on
// bytes from disk: those answer with a Status.
#pragma once

#include <cstdio>
#include <cstdlib>

#include "vicinal/status.h"

namespace vicinal::internal {
[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "vicinal: check failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}
}  // namespace vicinal::internal

#define VICINAL_CHECK(condition)                                         \
  do {                                                                   \
    if (!(condition)) [[unlikely]]                                       \
      ::vicinal::internal::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)

#ifdef NDEBUG
#define VICINAL_DCHECK(condition) \
  do {                            \
  } while (false && (condition))
#else
#define VICINAL_DCHECK(condition) VICINAL_CHECK(condition)
#endif

/// Returns the Status of `expression` from the enclosing function unless it is ok.
#define VICINAL_RETURN_IF_ERROR(expression)                                      \
  do {                                                                           \
    if (::vicinal::Status returned_status = (expression); !returned_status.ok()) \
      return returned_status;                                                    \
  } while (false)
