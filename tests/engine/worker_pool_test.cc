// WorkerPool: every iteration once, on any number of threads; what a body throws reaches the caller
// and leaves the pool usable.
#include "engine/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <vector>

namespace vicinal::engine {
namespace {

class WorkerPoolTest : public testing::TestWithParam<unsigned> {};

INSTANTIATE_TEST_SUITE_P(Threads, WorkerPoolTest, testing::Values(1U, 2U, 5U));

TEST_P(WorkerPoolTest, EveryIterationOnce) {
  WorkerPool pool(GetParam());
  for (const std::size_t count : {0U, 1U, 3U, 1000U}) {
    std::vector<std::atomic<int>> calls(count);
    pool.run(count, [&](std::size_t i) { ++calls[i]; });
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(calls[i], 1) << i << " of " << count;
  }
}

TEST_P(WorkerPoolTest, ThrowsWhatTheBodyThrew) {
  WorkerPool pool(GetParam());
  for (int round = 0; round < 20; ++round) {
    EXPECT_THROW(pool.run(100,
                          [](std::size_t i) {
                            if (i >= 10) throw std::runtime_error("no room");
                          }),
                 std::runtime_error);
    std::atomic<int> calls = 0;
    pool.run(50, [&](std::size_t) { ++calls; });
    EXPECT_EQ(calls, 50);
  }
}

}  // namespace
}  // namespace vicinal::engine
