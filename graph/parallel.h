// parallel_for: the same work on many items by a few threads; and a sort.
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

/// Calls work(i) for every i below `count`, in chunks of at most `grain` and of less towards the
/// end, so that nobody waits long for the last one; by at most `threads` threads, and no more than
/// there are whole or begun grains.
template <typename Work>
void parallel_for(unsigned threads, std::size_t count, std::size_t grain, const Work& work) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto run = [&] {
    try {
      std::size_t begin = next.load(std::memory_order_relaxed);
      while (begin < count) {
        const std::size_t share = (count - begin) / (std::size_t{4} * std::max(threads, 1u));
        const std::size_t end = begin + std::clamp<std::size_t>(share, 1, grain);
        if (!next.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
        for (std::size_t i = begin; i < end; ++i) work(i);
        begin = next.load(std::memory_order_relaxed);
      }
    } catch (...) {
      next.store(count, std::memory_order_relaxed);
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  const std::size_t chunks = (count + grain - 1) / grain;
  std::vector<std::jthread> helpers;
  try {
    for (std::size_t i = 1; i < std::min<std::size_t>(threads, chunks); ++i) {
      helpers.emplace_back(run);
    }
  } catch (const std::exception&) {
    // No more threads, or no memory for one: those that there are do the work.
  }
  run();
  helpers.clear();  // joins
  if (failure) std::rethrow_exception(failure);
}

/// std::sort of a range by a strict total order, by at most `threads` threads.
template <typename Range, typename Less>
void parallel_sort(unsigned threads, Range& range, const Less& less) {
  constexpr std::size_t kFew = 4096;
  const std::size_t parts = range.size() < kFew ? 1 : std::max(threads, 1u);
  const auto at = [&](std::size_t part) {
    return range.begin() + static_cast<std::ptrdiff_t>(range.size() * part / parts);
  };
  parallel_for(threads, parts, 1, [&](std::size_t i) { std::sort(at(i), at(i + 1), less); });
  for (std::size_t width = 1; width < parts; width *= 2) {
    parallel_for(threads, (parts + 2 * width - 1) / (2 * width), 1, [&](std::size_t i) {
      const std::size_t middle = std::min((2 * i + 1) * width, parts);
      const std::size_t end = std::min((2 * i + 2) * width, parts);
      std::inplace_merge(at(2 * i * width), at(middle), at(end), less);
    });
  }
}

}  // namespace vicinal::graph
