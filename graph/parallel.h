// parallel_for: the same work on many items by a few threads.
//
// Threads: the caller is one of them. An exception of one item ends the others' work and is thrown
// again.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace vicinal::graph {

/// Calls work(i) for every i below `count`, at most `threads` at once, in chunks of `grain`.
template <typename Work>
void parallel_for(unsigned threads, std::size_t count, std::size_t grain, const Work& work) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto run = [&] {
    try {
      for (;;) {
        const std::size_t begin = next.fetch_add(grain, std::memory_order_relaxed);
        if (begin >= count) return;
        for (std::size_t i = begin; i < std::min(begin + grain, count); ++i) work(i);
      }
    } catch (...) {
      next.store(count, std::memory_order_relaxed);
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  const std::size_t chunks = (count + grain - 1) / grain;
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < std::min<std::size_t>(threads, chunks); ++i)
    helpers.emplace_back(run);
  run();
  helpers.clear();  // joins
  if (failure) std::rethrow_exception(failure);
}

}  // namespace vicinal::graph
