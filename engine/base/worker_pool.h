// WorkerPool and Workers: threads that help whoever has a loop to share.
//
// What: one pool serves many callers at once. A caller of share() works too, and is joined by as
// many helpers as he asked for and as are free or can be started; helpers wait between loops, they
// are not started anew. Workers is a pool with a number of threads: what a verb is handed.
// Ownership: of its threads, which end with the pool. It must not end on one of them.
// Threads: every method from any, from inside a loop's work too: a loop within a loop is shared with
// whoever is free, and ended by its caller when nobody is.
//
// Invariants:
//   B1  share() returns when no helper is in its work any more, and waits for nobody else: a pool
//       without free threads delays nobody. In a child of fork(), where a pool that came along has no
//       threads, and perhaps somebody's lock, its loops are shared in the child's own.
//   B2  What the work throws ends the loop early; the first of it is thrown again by share().
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "engine/base/mutex.h"
#include "engine/base/process.h"

namespace vicinal::internal {

class WorkerPool {
 public:
  WorkerPool();
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// The pool of all indexes that live in this process now.
  static std::shared_ptr<WorkerPool> shared();

  /// Calls work(begin, end) for ranges that together are [0, count), each of at most `grain` and of
  /// less towards the end, so that nobody waits long for the last one; by at most `threads` threads,
  /// the caller's among them, and no more than there are whole or begun grains.
  void share(unsigned threads, std::size_t count, std::size_t grain,
             const std::function<void(std::size_t, std::size_t)>& work);

  /// Threads that were started; for tests.
  std::size_t started() const;

 private:
  struct Loop;
  struct OfProcess;

  /// The child's, for all that came over a fork(). It stays as long as the process.
  static WorkerPool& of_child();
  void serve();
  void start_helpers() VICINAL_REQUIRES(mutex_);

  mutable Mutex mutex_;
  CondVar called_;                                       ///< helpers: a loop wants some, or the end
  CondVar left_;                                         ///< callers: a helper left its loop
  std::vector<Loop*> loops_ VICINAL_GUARDED_BY(mutex_);  ///< under way
  const OwnProcess process_;
  std::vector<std::thread> threads_ VICINAL_GUARDED_BY(mutex_);
  bool stop_ VICINAL_GUARDED_BY(mutex_) = false;
};

/// Handed to who may use several threads. Refers to the pool.
class Workers {
 public:
  /// The caller alone.
  Workers() = default;
  Workers(WorkerPool& pool, unsigned threads) : pool_(&pool), threads_(std::max(threads, 1u)) {}

  /// work(i) for every i below `count`, see WorkerPool::share().
  template <typename Work>
  void for_each(std::size_t count, std::size_t grain, const Work& work) const {
    const auto range = [&work](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) work(i);
    };
    if (threads_ <= 1) return range(0, count);
    pool_->share(threads_, count, grain, range);
  }

  /// std::sort of a range by a strict total order.
  template <typename Range, typename Less>
  void sort(Range& range, const Less& less) const {
    constexpr std::size_t kFew = 4096;
    const std::size_t parts = range.size() < kFew ? 1 : threads_;
    const auto at = [&](std::size_t part) {
      return range.begin() + static_cast<std::ptrdiff_t>(range.size() * part / parts);
    };
    for_each(parts, 1, [&](std::size_t i) { std::sort(at(i), at(i + 1), less); });
    for (std::size_t width = 1; width < parts; width *= 2) {
      for_each((parts + 2 * width - 1) / (2 * width), 1, [&](std::size_t i) {
        const std::size_t middle = std::min((2 * i + 1) * width, parts);
        const std::size_t end = std::min((2 * i + 2) * width, parts);
        std::inplace_merge(at(2 * i * width), at(middle), at(end), less);
      });
    }
  }

 private:
  WorkerPool* pool_ = nullptr;
  unsigned threads_ = 1;
};

}  // namespace vicinal::internal
