// Children of fork() that use indexes and stores for themselves, whatever the parent's threads were at:
// nothing hangs, and nothing of the child's own is hit.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "tests/child.h"
#include "tests/engine/engine_testing.h"

namespace vicinal::testing {
namespace {

Index filled(std::size_t count, unsigned threads = 4) {
  IndexOptions options = small_options();
  options.threads = threads;
  options.repair_share = 0;
  Index index = *Index::in_memory(options);
  const std::vector<Label> labels = labels_up_to(count);
  EXPECT_TRUE(index.upsert_batch(labels, matrix_of(labels)).ok());
  return index;
}

/// Parent's threads that share loops with helpers until the end.
class BatchSearchers {
 public:
  explicit BatchSearchers(const Index& index) {
    for (int i = 0; i < 3; ++i) {
      threads_.emplace_back([this, &index] {
        const std::vector<float> queries = matrix_of(labels_up_to(64));
        while (!stop_) EXPECT_TRUE(index.search_batch(queries, {.k = 5}, 4).ok());
      });
    }
  }
  ~BatchSearchers() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  BatchSearchers(const BatchSearchers&) = delete;
  BatchSearchers& operator=(const BatchSearchers&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

TEST(ForkedChild, OpensAStoreOfItsOwnBesideSharedLoops) {
  if (!kForksBesideThreads) GTEST_SKIP() << "the sanitizer's allocator does not go over a fork";
  const TemporaryFolder folder;
  const Index index = filled(2000);
  const BatchSearchers searchers(index);
  for (int i = 0; i < 12; ++i) {
    const std::string path = folder.file("s" + std::to_string(i));
    ASSERT_EQ(in_child([&] {
                Store store = *Store::open(path, quick_store());
                IndexOptions options = small_options();
                options.threads = 4;
                Index own = *store.index("text", options);
                const std::vector<Label> labels = labels_up_to(600);
                if (!own.upsert_batch(labels, matrix_of(labels)).ok()) return 1;
                const auto found = own.search_batch(matrix_of(labels_up_to(40)), {.k = 1}, 4);
                for (Label label = 0; label < 40; ++label) {
                  if ((*found)[label].hits[0].label != label) return 2;
                }
                return store.close().ok() ? 0 : 3;
              }),
              0)
        << "child " << i;
  }
}

TEST(ForkedChild, UsesItsCopyBesideSharedLoops) {
  if (!kForksBesideThreads) GTEST_SKIP() << "the sanitizer's allocator does not go over a fork";
  const Index index = filled(1000);
  const Index busy = filled(1000);
  const BatchSearchers searchers(busy);
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(in_child([&] {
                Index copy = index;
                const std::vector<Label> labels = labels_up_to(600);
                if (!copy.upsert_batch(labels, matrix_of(labels, 1)).ok()) return 1;
                if (!copy.rebuild().ok()) return 2;
                return copy.search_batch(matrix_of(labels_up_to(40)), {.k = 5}, 4).ok() ? 0 : 3;
              }),
              0)
        << "child " << i;
  }
}

// The system gives the child's threads the numbers of the parent's.
TEST(ForkedChild, LetsAnIndexGoWithoutHittingItsOwnThreads) {
  if (!kForksBesideThreads) GTEST_SKIP() << "the sanitizer's allocator does not go over a fork";
  std::optional<Index> index = filled(2000);
  ASSERT_TRUE(index->search(vector_of(1), {.k = 5, .recall = 0.9}).ok());  // whose thread learns
  ASSERT_TRUE(index->search_batch(matrix_of(labels_up_to(64)), {.k = 5}, 4).ok());
  EXPECT_EQ(in_child([&] {
              std::atomic<bool> go_on{false};
              std::vector<std::thread> threads;
              for (int i = 0; i < 8; ++i) {
                threads.emplace_back([&] {
                  while (!go_on) std::this_thread::yield();
                });
              }
              index.reset();
              go_on = true;
              for (std::thread& thread : threads) thread.join();  // throws where it was detached
              return 0;
            }),
            0);
}

// A search stands in its filter while the parent forks: in the child there is no such reader.
TEST(ForkedChild, DoesNotWaitForReadersOfItsParent) {
  for (const std::size_t count : {std::size_t{100}, std::size_t{3000}}) {
    Index index = filled(count, 1);
    std::atomic<bool> inside{false};
    std::atomic<bool> go_on{false};
    std::thread searcher([&] {
      const Filter waits = Filter::by([&](Label) {
        inside = true;
        while (!go_on) std::this_thread::yield();
        return true;
      });
      EXPECT_TRUE(index.search(vector_of(1), {.k = 3, .filter = waits}).ok());
    });
    while (!inside) std::this_thread::yield();
    std::optional<PausedWrites> pause(*index.pause_writes());
    EXPECT_EQ(in_child([&] {
                if (index.erase(5).status().code() != StatusCode::kBusy) return 1;
                pause.reset();
                if (!index.erase(5).ok() || !index.repair().ok() || !index.rebuild().ok()) return 2;
                if (index.stats().tombstones != 0) return 3;
                // A pause of its own is its own.
                std::optional<PausedWrites> own(*index.pause_writes());
                if (index.erase(6).status().code() != StatusCode::kBusy) return 4;
                own.reset();
                if (!index.erase(6).ok()) return 5;
                return index.validate({.deep = true})->sound() ? 0 : 6;
              }),
              0);
    pause.reset();
    go_on = true;
    searcher.join();
    EXPECT_EQ(index.size(), count);
  }
}

// Of what is made once in a process, or chosen for the next index, nothing is locked at a fork.
TEST(ForkedChild, MakesAnIndexWhileOthersMakeTheirs) {
  if (!kForksBesideThreads) GTEST_SKIP() << "the sanitizer's allocator does not go over a fork";
  std::atomic<bool> stop{false};
  std::thread maker([&] {
    while (!stop) EXPECT_TRUE(Index::in_memory(small_options()).ok());
  });
  int answer = 0;
  for (int i = 0; i < 300 && answer == 0; ++i) {
    answer = in_child([] { return Index::in_memory(small_options()).ok() ? 0 : 1; }, 5);
  }
  stop = true;
  maker.join();
  EXPECT_EQ(answer, 0);
}

// A filter that a helper runs for a call of the thread that has paused: forking there is that thread's doing.
TEST(ForkedChild, OfAFilterOnAHelperIsRefusedWhatWouldWait) {
  if (!kForksBesideThreads) GTEST_SKIP() << "the sanitizer's allocator does not go over a fork";
  Index index = filled(2000);
  std::optional<PausedWrites> pause(*index.pause_writes());
  std::atomic<bool> forked{false};
  std::atomic<int> answer{-1};
  const std::thread::id caller = std::this_thread::get_id();
  const Filter forks = Filter::by([&](Label) {
    if (std::this_thread::get_id() == caller) {
      std::this_thread::yield();  // leaves some to the helpers
    } else if (!forked.exchange(true)) {
      answer =
          in_child([&] { return index.erase(5).status().code() == StatusCode::kBusy ? 0 : 1; });
    }
    return true;
  });
  for (int i = 0; i < 100 && !forked; ++i) {
    ASSERT_TRUE(index.search_batch(matrix_of(labels_up_to(64)), {.k = 5, .filter = forks}, 4).ok());
  }
  if (!forked) GTEST_SKIP() << "no helper ever came";
  EXPECT_EQ(answer, 0);
}

// The second of two pauses goes after the child has begun anew: it must not open what the child closed.
TEST(ForkedChild, TwoPausesOfTheParentAreOneOfTheChild) {
  Index index = filled(50, 1);
  std::optional<PausedWrites> first(*index.pause_writes());
  std::optional<PausedWrites> second(*index.pause_writes());
  EXPECT_EQ(in_child([&] {
              first.reset();
              std::optional<PausedWrites> own(*index.pause_writes());
              second.reset();
              if (index.erase(1).status().code() != StatusCode::kBusy) return 1;
              own.reset();
              return index.erase(1).ok() ? 0 : 2;
            }),
            0);
  first.reset();
  EXPECT_EQ(index.erase(2).status().code(), StatusCode::kBusy);
  second.reset();
  EXPECT_TRUE(index.erase(2).ok());
}

}  // namespace
}  // namespace vicinal::testing
