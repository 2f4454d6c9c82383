// Mutex and CondVar: one at a time, nobody sleeps on, nobody is woken by mistake for good.
#include "engine/base/mutex.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <thread>
#include <vector>

namespace vicinal::internal {
namespace {

TEST(Mutex, LetsOneInAtATime) {
  constexpr int kThreads = 8;
  constexpr std::uint64_t kRounds = 20000;
  Mutex mutex;
  std::uint64_t count = 0;  // by turns through all ways in
  std::atomic<int> inside{0};
  std::atomic<std::uint64_t> together{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const auto visit = [&] {
        if (inside.fetch_add(1) != 0) ++together;
        ++count;
        inside.fetch_sub(1);
      };
      for (std::uint64_t i = 0; i < kRounds; ++i) {
        if ((i + static_cast<std::uint64_t>(t)) % 2 == 0) {
          const MutexLock lock(mutex);
          visit();
          continue;
        }
        while (!mutex.try_lock()) std::this_thread::yield();
        const MutexLock lock(mutex, std::adopt_lock);
        visit();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(count, kThreads * kRounds);
  EXPECT_EQ(together.load(), 0u);
}

TEST(Mutex, IsNotHadTwice) {
  Mutex mutex;
  ASSERT_TRUE(mutex.try_lock());
  bool taken = true;
  std::jthread([&] {
    taken = mutex.try_lock();
    if (taken) mutex.unlock();
  }).join();
  EXPECT_FALSE(taken);
  mutex.unlock();
  ASSERT_TRUE(mutex.try_lock());
  mutex.unlock();
}

// All that is put is taken, whoever sleeps meanwhile: no notice is lost.
TEST(CondVar, WakesWhoWaits) {
  constexpr int kEach = 20000;
  constexpr int kPairs = 3;
  constexpr std::size_t kMost = 4;  // so that both sides wait
  Mutex mutex;
  CondVar filled;
  CondVar emptied;
  std::deque<int> queue;
  std::atomic<std::uint64_t> sum{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < kPairs; ++t) {
    threads.emplace_back([&] {
      for (int i = 1; i <= kEach; ++i) {
        const MutexLock lock(mutex);
        while (queue.size() == kMost) emptied.wait(mutex);
        queue.push_back(i);
        filled.notify_one();
      }
    });
    threads.emplace_back([&] {
      for (int i = 1; i <= kEach; ++i) {
        const MutexLock lock(mutex);
        while (queue.empty()) filled.wait(mutex);
        sum += static_cast<std::uint64_t>(queue.front());
        queue.pop_front();
        emptied.notify_one();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(sum.load(), std::uint64_t{kPairs} * kEach * (kEach + 1) / 2);
}

TEST(CondVar, WakesAllOrOne) {
  Mutex mutex;
  CondVar asleep;
  CondVar changed;
  int waiting = 0;
  int allowed = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&] {
      const MutexLock lock(mutex);
      ++waiting;
      asleep.notify_all();
      while (allowed == 0) changed.wait(mutex);
      --allowed;
      --waiting;
      asleep.notify_all();
    });
  }
  const MutexLock lock(mutex);
  while (waiting < 6) asleep.wait(mutex);
  allowed = 1;
  changed.notify_one();
  while (waiting > 5) asleep.wait(mutex);
  EXPECT_EQ(allowed, 0);
  allowed = 5;
  changed.notify_all();
  while (waiting > 0) asleep.wait(mutex);
}

TEST(CondVar, WaitsUntilATimeAndNoLonger) {
  using Clock = std::chrono::steady_clock;
  Mutex mutex;
  CondVar never;
  const MutexLock lock(mutex);
  for (const auto patience : {std::chrono::milliseconds(-5), std::chrono::milliseconds(0),
                              std::chrono::milliseconds(1500)}) {
    const Clock::time_point end = Clock::now() + patience;
    while (never.wait_until(mutex, end)) {
    }
    EXPECT_GE(Clock::now(), end);
  }
  EXPECT_FALSE(never.wait_until(mutex, Clock::time_point()));
  // Long before the end when it is notified, however far that is.
  bool done = false;
  std::jthread notifier([&] {
    const MutexLock theirs(mutex);
    done = true;
    never.notify_all();
  });
  while (!done) {
    ASSERT_TRUE(never.wait_until(mutex, Clock::time_point::max()));
  }
}

}  // namespace
}  // namespace vicinal::internal
