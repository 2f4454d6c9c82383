// Mutex, MutexLock, MutexUnlock, CondVar: std::mutex and its companions, known to clang's thread
// safety analysis (thread_annotations.h), which does not know those of libstdc++.
//
// Threads: any.
// Cost: that of the standard's; everything is inline, and a Mutex holds nothing else.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "engine/base/thread_annotations.h"

namespace vicinal::internal {

class VICINAL_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() VICINAL_ACQUIRE() { mutex_.lock(); }
  void unlock() VICINAL_RELEASE() { mutex_.unlock(); }
  bool try_lock() VICINAL_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

  /// For CondVar.
  std::mutex& underlying() { return mutex_; }

 private:
  std::mutex mutex_;
};
static_assert(sizeof(Mutex) == sizeof(std::mutex));

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
/// the lock of its caller.
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  void wait(Mutex& mutex) VICINAL_REQUIRES(mutex) {
    std::unique_lock lock(mutex.underlying(), std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  /// False when `end` came first.
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point end) VICINAL_REQUIRES(mutex) {
    std::unique_lock lock(mutex.underlying(), std::adopt_lock);
    const std::cv_status status = condition_.wait_until(lock, end);
    lock.release();
    return status == std::cv_status::no_timeout;
  }
  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace vicinal::internal
