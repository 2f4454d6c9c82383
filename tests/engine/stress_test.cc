// Two upsert, one erases, two search, one maintains; vectors tell a torn read. E5: on a store
// without rows in memory, they move from the journal to their chunks meanwhile.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>

#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

constexpr Label kContestedLabels = 300;
constexpr std::uint64_t kGenerations = 4;

/// Ends the process when a test hangs.
class Watchdog {
 public:
  explicit Watchdog(std::chrono::seconds limit)
      : thread_([this, limit] {
          const auto end = std::chrono::steady_clock::now() + limit;
          while (!done_.load()) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            if (std::chrono::steady_clock::now() < end) continue;
            std::fprintf(stderr, "stress test hangs\n");
            std::abort();
          }
        }) {}
  ~Watchdog() {
    done_.store(true);
    thread_.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::thread thread_;
};

void check_whole(Label label, std::span<const float> vector) {
  for (std::uint64_t g = 0; g < kGenerations; ++g) {
    if (std::equal(vector.begin(), vector.end(), vector_of(label, g).begin())) return;
  }
  ADD_FAILURE() << "label " << label << " has a vector that nobody stored";
}

void stress(Index index, std::chrono::milliseconds duration) {
  const Watchdog watchdog(std::chrono::seconds(120));
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      while (!stop) {
        const Label label = random() % kContestedLabels;
        EXPECT_TRUE(index.upsert(label, vector_of(label, random() % kGenerations)).ok());
      }
    });
    threads.emplace_back([&, t] {
      std::mt19937_64 random(100 + t);
      while (!stop) {
        const Label label = random() % kContestedLabels;
        const Result<SearchResult> found = index.search(vector_of(label, random() % kGenerations));
        ASSERT_TRUE(found.ok());
        std::vector<Label> labels;
        for (const Hit& hit : *found) labels.push_back(hit.label);
        std::sort(labels.begin(), labels.end());
        EXPECT_TRUE(std::adjacent_find(labels.begin(), labels.end()) == labels.end());
        if (const auto stored = index.get(label)) check_whole(label, *stored);
      }
    });
  }
  threads.emplace_back([&] {
    std::mt19937_64 random(7);
    while (!stop) EXPECT_TRUE(index.erase(random() % kContestedLabels).ok());
  });
  threads.emplace_back([&] {
    for (int round = 0; !stop; ++round) {
      EXPECT_TRUE(index.repair({.slice = 200}).ok());
      if (round % 4 == 1) {
        EXPECT_TRUE(index.checkpoint().ok());
      } else if (round % 4 == 3) {
        EXPECT_TRUE(index.rebuild({.threads = 1}).ok());
      }
    }
  });
  std::this_thread::sleep_for(duration);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  std::uint64_t live = 0;
  ASSERT_OK(index.for_each([&](Label label, std::span<const float> vector) {
    ++live;
    check_whole(label, vector);
    const Result<SearchResult> own = index.search(vector, {.k = 1, .ef_search = 100});
    EXPECT_TRUE(own.ok() && own->size() == 1 && (*own)[0].label == label) << label;
    return true;
  }));
  EXPECT_EQ(live, index.size());
  // With nothing left to repair the background thread rests: validate() wants a quiet index.
  ASSERT_TRUE(index.repair().ok());
  expect_sound(index, true);
}

TEST(Stress, InMemory) { stress(*Index::in_memory(small_options()), std::chrono::seconds(3)); }

TEST(Stress, OnAStore) {
  for (const bool rows_in_memory : {true, false}) {
    TemporaryFolder folder;
    StoreOptions options = quick_store();
    options.checkpoint_bytes = 100 << 10;
    Store store = *Store::open(folder.file("s"), options);
    IndexOptions small = small_options();
    small.vectors_in_memory = rows_in_memory;
    stress(*store.index("text", small), std::chrono::seconds(3));
    ASSERT_OK(store.close());
  }
}

}  // namespace
}  // namespace vicinal::testing
