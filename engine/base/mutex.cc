#include "engine/base/mutex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace vicinal::internal {
namespace {

static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

// Sleeps while `word` is `expected`, until it is woken or, where there is one, until `end`, which is
// of the steady clock; perhaps less long. False when `end` came.
bool sleep_on(std::atomic<std::uint32_t>& word, std::uint32_t expected, const std::timespec* end) {
  const long slept =
      ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word),
                FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, end, nullptr, ~std::uint32_t{0});
  return slept == 0 || errno != ETIMEDOUT;
}

// By address alone: what is there may be gone.
void wake_sleepers(std::atomic<std::uint32_t>& word, int count) {
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE | FUTEX_PRIVATE_FLAG,
            count, nullptr, nullptr, 0);
}

std::timespec timespec_of(std::chrono::steady_clock::time_point time) {
  const auto since = std::max(time.time_since_epoch(), std::chrono::steady_clock::duration(0));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
  std::timespec spec{};
  spec.tv_sec = seconds.count();
  spec.tv_nsec = static_cast<long>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds).count());
  return spec;
}

}  // namespace

// Whoever comes here cannot know whether others sleep as well, and leaves the word as if they did.
void Mutex::wait() {
  while (state_.exchange(kWaitedFor, std::memory_order_acquire) != kFree) {
    sleep_on(state_, kWaitedFor, nullptr);
  }
}

void Mutex::wake() { wake_sleepers(state_, 1); }

#ifdef __SANITIZE_THREAD__
Mutex::~Mutex() { __tsan_mutex_destroy(this, 0); }

void Mutex::lock() {
  __tsan_mutex_pre_lock(this, 0);
  if (!take()) wait();
  __tsan_mutex_post_lock(this, 0, 0);
}

void Mutex::unlock() {
  __tsan_mutex_pre_unlock(this, 0);
  const bool waited_for = state_.exchange(kFree, std::memory_order_release) == kWaitedFor;
  __tsan_mutex_post_unlock(this, 0);
  if (waited_for) wake();
}

bool Mutex::try_lock() {
  __tsan_mutex_pre_lock(this, __tsan_mutex_try_lock);
  const bool taken = take();
  const unsigned failed = taken ? 0u : __tsan_mutex_try_lock_failed;
  __tsan_mutex_post_lock(this, __tsan_mutex_try_lock | failed, 0);
  return taken;
}
#endif

void CondVar::wait(Mutex& mutex) {
  const std::uint32_t seen = notices_.load(std::memory_order_relaxed);
  waiters_.fetch_add(1, std::memory_order_relaxed);
  mutex.unlock();
  sleep_on(notices_, seen, nullptr);
  mutex.lock();
  waiters_.fetch_sub(1, std::memory_order_relaxed);
}

bool CondVar::wait_until(Mutex& mutex, std::chrono::steady_clock::time_point end) {
  const std::timespec until = timespec_of(end);
  const std::uint32_t seen = notices_.load(std::memory_order_relaxed);
  waiters_.fetch_add(1, std::memory_order_relaxed);
  mutex.unlock();
  const bool in_time = sleep_on(notices_, seen, &until);
  mutex.lock();
  waiters_.fetch_sub(1, std::memory_order_relaxed);
  return in_time;
}

void CondVar::notify(int count) noexcept {
  notices_.fetch_add(1, std::memory_order_relaxed);
  wake_sleepers(notices_, count);
}

}  // namespace vicinal::internal
