#include "engine/base/worker_pool.h"

#include <atomic>
#include <exception>
#include <new>

#include "engine/base/signals.h"

namespace vicinal::internal {

/// On its caller's stack.
struct WorkerPool::Loop {
  const std::function<void(std::size_t, std::size_t)>& work;
  const std::size_t count;
  const std::size_t grain;
  const std::size_t threads;
  std::atomic<std::size_t> next{0};
  // Under the pool's mutex, which the analysis cannot name from here.
  std::size_t wanted;      ///< helpers that may still join
  std::size_t inside = 0;  ///< helpers in it
  std::exception_ptr failure;

  Loop(const std::function<void(std::size_t, std::size_t)>& w, std::size_t c, std::size_t g,
       std::size_t helpers)
      : work(w), count(c), grain(g), threads(helpers + 1), wanted(helpers) {}

  void drain(Mutex& mutex) {
    try {
      std::size_t begin = next.load(std::memory_order_relaxed);
      while (begin < count) {
        const std::size_t share = (count - begin) / (std::size_t{4} * threads);
        const std::size_t end = begin + std::clamp<std::size_t>(share, 1, grain);
        if (!next.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
        work(begin, end);
        begin = next.load(std::memory_order_relaxed);
      }
    } catch (...) {
      next.store(count, std::memory_order_relaxed);
      const MutexLock lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  }
};

WorkerPool::WorkerPool() = default;

WorkerPool::~WorkerPool() {
  if (process_.left()) {
    leave_behind(threads_);
    return;
  }
  {
    const MutexLock lock(mutex_);
    stop_ = true;
  }
  called_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

struct WorkerPool::OfProcess {
  Mutex mutex;
  std::weak_ptr<WorkerPool> pool VICINAL_GUARDED_BY(mutex);
  std::shared_ptr<WorkerPool> kept VICINAL_GUARDED_BY(mutex);  ///< of_child()

  std::shared_ptr<WorkerPool> get() VICINAL_REQUIRES(mutex) {
    std::shared_ptr<WorkerPool> present = pool.lock();
    if (present == nullptr) pool = present = std::make_shared<WorkerPool>();
    return present;
  }
};

std::shared_ptr<WorkerPool> WorkerPool::shared() {
  auto& own = of_process<OfProcess>();
  const MutexLock lock(own.mutex);
  return own.get();
}

WorkerPool& WorkerPool::of_child() {
  auto& own = of_process<OfProcess>();
  const MutexLock lock(own.mutex);
  if (own.kept == nullptr) own.kept = own.get();
  return *own.kept;
}

void WorkerPool::share(unsigned threads, std::size_t count, std::size_t grain,
                       const std::function<void(std::size_t, std::size_t)>& work) {
  const std::size_t grains = (count + grain - 1) / grain;
  const std::size_t most = std::min<std::size_t>(threads, grains);
  if (most <= 1) {
    if (count > 0) work(0, count);
    return;
  }
  if (process_.left()) return of_child().share(threads, count, grain, work);
  Loop loop(work, count, grain, most - 1);
  try {
    const MutexLock lock(mutex_);
    loops_.push_back(&loop);
    start_helpers();
  } catch (const std::bad_alloc&) {
    // Nobody is told of it: the caller does all of it.
  }
  called_.notify_all();
  loop.drain(mutex_);
  const MutexLock lock(mutex_);
  std::erase(loops_, &loop);
  while (loop.inside != 0) left_.wait(mutex_);
  if (loop.failure) std::rethrow_exception(loop.failure);
}

void WorkerPool::start_helpers() {
  std::size_t needed = 0;
  for (const Loop* loop : loops_) needed += loop->wanted + loop->inside;
  try {
    threads_.reserve(needed);  // a thread that has begun must find its place
    while (threads_.size() < needed) {
      threads_.push_back(thread_without_signals([this] { serve(); }));
    }
  } catch (const std::exception&) {
    // No more threads, or no memory for one: those that there are do the work.
  }
}

std::size_t WorkerPool::started() const {
  const MutexLock lock(mutex_);
  return threads_.size();
}

void WorkerPool::serve() {
  const auto wants_help = [](const Loop* loop) { return loop->wanted > 0; };
  const MutexLock lock(mutex_);
  while (!stop_) {
    const auto found = std::find_if(loops_.begin(), loops_.end(), wants_help);
    if (found == loops_.end()) {
      called_.wait(mutex_);
      continue;
    }
    Loop& loop = **found;
    --loop.wanted;
    ++loop.inside;
    {
      const MutexUnlock unlocked(mutex_);
      loop.drain(mutex_);
    }
    if (--loop.inside == 0) left_.notify_all();
  }
}

}  // namespace vicinal::internal
