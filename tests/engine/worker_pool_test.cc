// WorkerPool and Workers: every item once, on any number of threads and from many callers; what the
// work throws reaches the caller and leaves the pool usable; a caller waits for nobody but those in
// his loop.
#include "engine/base/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <random>
#include <thread>
#include <vector>

namespace vicinal::internal {
namespace {

TEST(Workers, CallEveryItemOnce) {
  WorkerPool pool;
  for (const std::size_t count : {0u, 1u, 7u, 8u, 9u, 1000u, 30'001u}) {
    for (const unsigned threads : {0u, 1u, 2u, 5u}) {
      std::vector<std::atomic<int>> calls(count);
      Workers(pool, threads).for_each(count, 8, [&](std::size_t i) { ++calls[i]; });
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(calls[i], 1) << i << " of " << count;
    }
  }
  EXPECT_LE(pool.started(), 4u) << "helpers are kept, not started anew";
}

// B2
TEST(Workers, AnExceptionEndsTheLoopAndComesOut) {
  WorkerPool pool;
  for (const unsigned threads : {1u, 3u}) {
    std::atomic<std::size_t> calls{0};
    const auto work = [&](std::size_t i) {
      if (i == 100) throw std::bad_alloc();
      ++calls;
    };
    const Workers workers(pool, threads);
    EXPECT_THROW(workers.for_each(1'000'000, 8, work), std::bad_alloc);
    EXPECT_LT(calls, 999'999u);
    if (threads == 1) {
      EXPECT_EQ(calls, 100u);
    }
    std::atomic<std::size_t> after{0};
    workers.for_each(50, 1, [&](std::size_t) { ++after; });
    EXPECT_EQ(after, 50u);
  }
}

TEST(Workers, SortAsOneThreadDoes) {
  WorkerPool pool;
  std::mt19937 random(7);
  for (const std::size_t count : {0u, 1u, 4095u, 4096u, 10'007u}) {
    std::vector<std::uint32_t> wanted(count);
    for (std::uint32_t& x : wanted) x = random() % 5000;
    std::vector<std::uint32_t> expected = wanted;
    std::sort(expected.begin(), expected.end());
    for (const unsigned threads : {1u, 3u, 5u, 8u}) {
      std::vector<std::uint32_t> sorted = wanted;
      Workers(pool, threads).sort(sorted, std::less<>());
      ASSERT_EQ(sorted, expected) << count << " by " << threads;
    }
  }
}

TEST(WorkerPool, ServesManyCallersAndLoopsWithinLoops) {
  WorkerPool pool;
  std::atomic<std::size_t> calls{0};
  std::vector<std::thread> callers;
  for (unsigned caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      const Workers workers(pool, caller + 1);
      for (int round = 0; round < 50; ++round) {
        workers.for_each(
            10, 1, [&](std::size_t) { workers.for_each(10, 2, [&](std::size_t) { ++calls; }); });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(calls, 4u * 50 * 100);
}

// B1: the only helper is held in one loop; another caller ends his alone.
TEST(WorkerPool, ABusyHelperDelaysNobodyElse) {
  WorkerPool pool;
  std::atomic<int> inside{0};
  std::atomic<bool> go_on{false};
  std::thread holding([&] {
    Workers(pool, 2).for_each(2, 1, [&](std::size_t) {
      ++inside;
      while (!go_on) std::this_thread::yield();
    });
  });
  while (inside < 2) std::this_thread::yield();  // the caller and the helper
  std::atomic<int> calls{0};
  Workers(pool, 1).for_each(100, 1, [&](std::size_t) { ++calls; });
  Workers(pool, 2).for_each(100, 1, [&](std::size_t) { ++calls; });
  EXPECT_EQ(calls, 200);
  EXPECT_FALSE(go_on);
  go_on = true;
  holding.join();
}

TEST(WorkerPool, IsSharedWhileSomebodyHoldsIt) {
  const std::shared_ptr<WorkerPool> first = WorkerPool::shared();
  EXPECT_EQ(first, WorkerPool::shared());
}

}  // namespace
}  // namespace vicinal::internal
