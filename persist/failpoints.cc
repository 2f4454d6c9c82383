#include "persist/failpoints.h"

#include <atomic>
#include <csignal>
#include <memory>
#include <new>
#include <string>

#include "engine/base/mutex.h"
#include "engine/base/process.h"

namespace vicinal::persist::failpoints {
namespace {

struct Armed {
  vicinal::internal::Mutex mutex;
  std::string name VICINAL_GUARDED_BY(mutex);
  Action action VICINAL_GUARDED_BY(mutex) = Action::kFail;
  int countdown VICINAL_GUARDED_BY(mutex) = 0;
  std::atomic<Observer> observer{nullptr};
};

Armed& armed_point() {
  static constinit std::atomic<Armed*> place{nullptr};
  return vicinal::internal::first_made(place, [] { return std::make_unique<Armed>(); });
}

void tell(const Armed& point, const char* name) {
  if (const Observer observer = point.observer.load(); observer != nullptr) observer(name);
}

}  // namespace

namespace internal {

std::atomic<bool> armed{false};

Status reached(const char* name) {
  Armed& point = armed_point();
  tell(point, name);
  const vicinal::internal::MutexLock lock(point.mutex);
  if (point.name != name || point.countdown <= 0 || --point.countdown > 0) return {};
  if (point.observer.load() == nullptr) armed.store(false, std::memory_order_relaxed);
  if (point.action == Action::kKill) (void)::raise(SIGKILL);
  if (point.action == Action::kThrow) throw std::bad_alloc();
  return Status::io_error(std::string("failpoint ") + name);
}

void passed(const char* name) {
  Armed& point = armed_point();
  tell(point, name);
  const vicinal::internal::MutexLock lock(point.mutex);
  const bool here = point.name == name && point.countdown > 0 && --point.countdown == 0;
  if (here && point.action == Action::kKill) (void)::raise(SIGKILL);
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

void observe(Observer observer) {
  armed_point().observer.store(observer);
  internal::armed.store(true, std::memory_order_relaxed);
}

void disarm() {
  Armed& point = armed_point();
  point.observer.store(nullptr);
  const vicinal::internal::MutexLock lock(point.mutex);
  point.countdown = 0;
  internal::armed.store(false, std::memory_order_relaxed);
}

}  // namespace vicinal::persist::failpoints
