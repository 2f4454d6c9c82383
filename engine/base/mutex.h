// Mutex, MutexLock, MutexUnlock, CondVar: what std::mutex and its companions do, in few bytes and
// known to clang's thread safety analysis (thread_annotations.h).
//
// Why our own: the standard's take 40 and 48 bytes, and an index has a score of them, most of which
// nobody ever waits for. These take 4 and 8, so that an index of one vector stays small; a lock that
// nobody else has costs one atomic operation, and waiting is the system's (a futex), as there.
// Threads: any. Under ThreadSanitizer a Mutex is known as one: it finds cycles of locks, too.
// Ownership: none. Who unlocks or notifies uses nothing of the object when somebody else may have
// ended it: a waiter that was woken may.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "engine/base/thread_annotations.h"

namespace vicinal::internal {

class VICINAL_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
#ifdef __SANITIZE_THREAD__
  ~Mutex();
#endif
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

#ifndef __SANITIZE_THREAD__
  void lock() VICINAL_ACQUIRE() {
    if (!take()) wait();
  }
  void unlock() VICINAL_RELEASE() {
    if (state_.exchange(kFree, std::memory_order_release) == kWaitedFor) wake();
  }
  bool try_lock() VICINAL_TRY_ACQUIRE(true) { return take(); }
#else
  void lock() VICINAL_ACQUIRE();
  void unlock() VICINAL_RELEASE();
  bool try_lock() VICINAL_TRY_ACQUIRE(true);
#endif

  /// In a child of fork(): free, whoever had it in the parent.
  void begin_anew() noexcept { state_.store(kFree, std::memory_order_relaxed); }

 private:
  enum State : std::uint32_t { kFree, kHeld, kWaitedFor };

  bool take() {
    std::uint32_t expected = kFree;
    return state_.compare_exchange_strong(expected, kHeld, std::memory_order_acquire,
                                          std::memory_order_relaxed);
  }
  void wait();
  void wake();

  std::atomic<std::uint32_t> state_{kFree};
};
static_assert(sizeof(Mutex) == sizeof(std::uint32_t));

/// Holds a lock (Mutex, or whatever has lock() and unlock()) for the length of a scope. With
/// std::adopt_lock the lock is held already, by a try_lock() that succeeded.
template <typename Lock>
class VICINAL_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Lock& lock) VICINAL_ACQUIRE(lock) : lock_(lock) { lock_.lock(); }
  MutexLock(Lock& lock, std::adopt_lock_t) VICINAL_REQUIRES(lock) : lock_(lock) {}
  ~MutexLock() VICINAL_RELEASE() { lock_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Lock& lock_;
};

/// Gives a mutex that is held back for the length of a scope.
class VICINAL_SCOPED_CAPABILITY MutexUnlock {
 public:
  explicit MutexUnlock(Mutex& mutex) VICINAL_RELEASE(mutex) : mutex_(mutex) { mutex_.unlock(); }
  ~MutexUnlock() VICINAL_RELEASE() { mutex_.lock(); }  // "release": the scope ends
  MutexUnlock(const MutexUnlock&) = delete;
  MutexUnlock& operator=(const MutexUnlock&) = delete;

 private:
  Mutex& mutex_;
};

/// What is waited for stands in the loop around wait(): the analysis does not look from a lambda to
/// the lock of its caller. It changes under the mutex, and whoever changes it notifies.
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  void wait(Mutex& mutex) VICINAL_REQUIRES(mutex);
  /// False when `end` came first.
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point end) VICINAL_REQUIRES(mutex);
  // Who waits is counted under the mutex: whoever changed something under it since sees them.
  void notify_one() noexcept {
    if (waiters_.load(std::memory_order_relaxed) != 0) notify(1);
  }
  void notify_all() noexcept {
    if (waiters_.load(std::memory_order_relaxed) != 0) notify(kAll);
  }

 private:
  static constexpr int kAll = 0x7fffffff;

  void notify(int count) noexcept;

  std::atomic<std::uint32_t> notices_{0};  ///< how often somebody was notified
  std::atomic<std::uint32_t> waiters_{0};
};

}  // namespace vicinal::internal
