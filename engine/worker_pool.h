// WorkerPool: threads that share the iterations of one loop after another.
//
// The caller of run() works too, so a pool of one has no thread at all.
// Threads: one run() at a time. What the body throws ends the loop early and is thrown again by
// run().
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace vicinal::engine {

class WorkerPool {
 public:
  explicit WorkerPool(unsigned threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Calls body(i) for every i below `count`, on all threads, in no order. Returns, or throws the
  /// first of what was thrown, when no thread is in it any more.
  void run(std::size_t count, const std::function<void(std::size_t)>& body);

 private:
  void work();
  void drain();

  std::mutex mutex_;
  std::condition_variable started_;
  std::condition_variable finished_;
  const std::function<void(std::size_t)>* body_ = nullptr;  // guarded by mutex_ between runs
  std::size_t count_ = 0;
  std::size_t running_ = 0;  // threads that have not finished the present run
  std::uint64_t round_ = 0;
  bool stop_ = false;
  std::exception_ptr failure_;  // under mutex_
  std::atomic<std::size_t> next_{0};
  std::vector<std::thread> threads_;
};

}  // namespace vicinal::engine
