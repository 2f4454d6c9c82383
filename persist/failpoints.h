// Failpoints: named places where a test may make the process die or an operation fail.
//
// Compiled always, inert unless a test arms one: the cost is one relaxed load. Nothing outside a
// test arms them; no environment variable is read.
// Ownership: a name is a literal.
// Threads: any.
#pragma once

#include <atomic>

#include "vicinal/status.h"

namespace vicinal::persist::failpoints {

enum class Action {
  kKill,   ///< the process kills itself with SIGKILL
  kFail,   ///< the operation fails with kIoError
  kThrow,  ///< std::bad_alloc
};

/// Arms `name` (one at a time): it acts when reached for the `countdown`-th time, once.
void arm(const char* name, Action action, int countdown = 1);
void disarm();

namespace internal {
extern std::atomic<bool> armed;
Status reached(const char* name);
}  // namespace internal

/// Marks a place. Ok unless a test armed it.
inline Status reach(const char* name) {
  if (!internal::armed.load(std::memory_order_relaxed)) return {};
  return internal::reached(name);
}

}  // namespace vicinal::persist::failpoints
