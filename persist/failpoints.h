// Failpoints: named places where a test may make the process die or an operation fail.
//
// Compiled always, inert unless a test arms one: the cost is one relaxed load. Nothing outside a
// test arms them; no environment variable is read. Where an operation can still fail, a place is
// reach(); after a commit, where nothing may, it is pass(), and only the process can end there.
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
/// Tells `observer` of every place that is reached, on the thread that reaches it, until disarm().
using Observer = void (*)(const char* name);
void observe(Observer observer);
/// Neither armed nor observed.
void disarm();

namespace internal {
extern std::atomic<bool> armed;
Status reached(const char* name);
void passed(const char* name);
}  // namespace internal

/// Marks a place. Ok unless a test armed it.
inline Status reach(const char* name) {
  if (!internal::armed.load(std::memory_order_relaxed)) return {};
  return internal::reached(name);
}

/// Marks a place at which nothing may fail any more: a test can kill there.
inline void pass(const char* name) {
  if (internal::armed.load(std::memory_order_relaxed)) internal::passed(name);
}

}  // namespace vicinal::persist::failpoints
