#include "persist/failpoints.h"

#include <csignal>
#include <new>
#include <string>

#include "engine/base/mutex.h"

namespace vicinal::persist::failpoints {
namespace {

struct Armed {
  vicinal::internal::Mutex mutex;
  std::string name VICINAL_GUARDED_BY(mutex);
  Action action VICINAL_GUARDED_BY(mutex) = Action::kFail;
  int countdown VICINAL_GUARDED_BY(mutex) = 0;
};

Armed& armed_point() {
  static Armed point;
  return point;
}

}  // namespace

namespace internal {

std::atomic<bool> armed{false};

Status reached(const char* name) {
  Armed& point = armed_point();
  const vicinal::internal::MutexLock lock(point.mutex);
  if (point.name != name || point.countdown <= 0 || --point.countdown > 0) return {};
  armed.store(false, std::memory_order_relaxed);
  if (point.action == Action::kKill) (void)::raise(SIGKILL);
  if (point.action == Action::kThrow) throw std::bad_alloc();
  return Status::io_error(std::string("failpoint ") + name);
}

}  // namespace internal

void arm(const char* name, Action action, int countdown) {
  Armed& point = armed_point();
  const vicinal::internal::MutexLock lock(point.mutex);
  point.name = name;
  point.action = action;
  point.countdown = countdown;
  internal::armed.store(true, std::memory_order_relaxed);
}

void disarm() {
  Armed& point = armed_point();
  const vicinal::internal::MutexLock lock(point.mutex);
  point.countdown = 0;
  internal::armed.store(false, std::memory_order_relaxed);
}

}  // namespace vicinal::persist::failpoints
