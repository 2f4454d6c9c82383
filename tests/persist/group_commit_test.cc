// Group commit: threads that wait together are stored together, each with its own sequence; and
// every call beside every other (run under ThreadSanitizer in CI).
#include <atomic>
#include <chrono>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#include "persist/commit_queue.h"
#include "persist/failpoints.h"
#include "tests/persist/loaded.h"
#include "tests/persist/memory_index.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

/// A queue over an environment of its own.
struct QueueAlone {
  explicit QueueAlone(Durability durability) : made(folder.file("env"), durability) {}

  Result<Sequence> append(const std::function<void()>& meanwhile = {}) {
    return queue.append(target, RecordBuffer(kEnvelopeBytes + 100), meanwhile);
  }

  TemporaryFolder folder;
  Journal made;
  CommitQueue queue{made.environment.get()};
  SequenceLedger ledger;
  const CommitQueue::Target target{made.range(), &ledger};
};

// Steps of a checkpoint follow each other at once: whoever waits for the writer's lock comes
// between.
TEST(FairMutex, WhoeverGivesItBackComesAfterThoseThatWait) {
  FairMutex mutex;
  std::vector<int> order;
  mutex.lock();
  std::vector<std::thread> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.emplace_back([&, i] {
      mutex.lock();
      order.push_back(i);
      mutex.unlock();
    });
    while (mutex.askers() < static_cast<std::uint64_t>(i) + 2) std::this_thread::yield();
  }
  mutex.unlock();
  mutex.lock();
  order.push_back(3);
  mutex.unlock();
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(mutex.askers(), 0u);
}

TEST(GroupCommit, EveryWaiterHasASequenceOfItsOwn) {
  QueueAlone q(Durability::kFull);
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  std::vector<std::thread> threads;
  std::vector<std::vector<Sequence>> sequences(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const auto sequence = q.append();
        ASSERT_TRUE(sequence.ok()) << sequence.status().to_string();
        sequences[static_cast<std::size_t>(t)].push_back(*sequence);
        q.ledger.finish(*sequence);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<Sequence> all;
  for (const auto& mine : sequences) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), std::size_t{kThreads} * kEach);
  EXPECT_EQ(q.ledger.cut(), kThreads * kEach);
}

TEST(GroupCommit, WhoQueuesWhileTheWriterIsBusySharesACommit) {
  QueueAlone q(Durability::kFull);
  constexpr int kThreads = 8;
  std::atomic<bool> busy{false};
  std::atomic<int> queued{0};
  const std::uint64_t before = q.made.environment->commits();
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    const Status status = q.made.environment->write([&](Transaction&) -> Status {
      busy = true;
      while (queued < kThreads) std::this_thread::yield();
      return {};
    });
    EXPECT_TRUE(status.ok()) << status.to_string();
  });
  while (!busy) std::this_thread::yield();
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      const auto sequence = q.append([&] { ++queued; });
      ASSERT_TRUE(sequence.ok()) << sequence.status().to_string();
      q.ledger.finish(*sequence);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(q.ledger.cut(), std::uint64_t{kThreads});
  EXPECT_EQ(q.made.environment->commits() - before, 2u) << "the busy one, and one for all eight";
}

class AtDurability : public ::testing::TestWithParam<Durability> {};

TEST_P(AtDurability, MeanwhileIsCalledOnceByItsThread) {
  QueueAlone q(GetParam());
  std::atomic<int> calls{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        int mine = 0;
        const auto sequence = q.append([&, id = std::this_thread::get_id()] {
          EXPECT_EQ(id, std::this_thread::get_id());
          ++mine;
          if (i % 5 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        });
        ASSERT_TRUE(sequence.ok()) << sequence.status().to_string();
        q.ledger.finish(*sequence);
        EXPECT_EQ(mine, 1);
        calls += mine;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(calls, 100);
  EXPECT_EQ(q.ledger.cut(), 100u);
}

TEST_P(AtDurability, AFailedCommitReachesEveryWaiterAndLeavesNothing) {
  TemporaryFolder folder;
  StoreOptions options = fast();
  options.durability = GetParam();
  options.map_bytes = 256 << 10;
  options.max_map_bytes = 256 << 10;
  auto store = open_store(folder.file("s"), options);
  auto index = create(*store, 256);
  std::atomic<int> stored{0};
  std::atomic<int> refused{0};
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::vector<float> row = make_row(t, 1, 256);
      for (std::uint32_t i = 0; i < 100; ++i) {
        Operation op;
        op.label = t * 1000 + i;
        op.node = graph::NodeId{t * 1000 + i};
        op.row = std::as_bytes(std::span(row));
        bool called = false;
        const auto sequence = index->append(op, [&] { called = true; });
        EXPECT_TRUE(called);
        if (sequence.ok()) {
          index->finish(*sequence);
          ++stored;
        } else {
          EXPECT_EQ(sequence.status().code(), StatusCode::kFull) << sequence.status().to_string();
          ++refused;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(refused, 0);
  EXPECT_EQ(index->stats().journal_entries, static_cast<std::uint64_t>(stored.load()));
}

TEST_P(AtDurability, MemoryThatRunsOutReachesTheCallersAndLeavesNothing) {
  QueueAlone q(GetParam());
  ASSERT_TRUE(q.append().ok());
  q.ledger.finish(1);
  failpoints::arm("append.before_commit", failpoints::Action::kThrow);
  EXPECT_THROW((void)q.append(), std::bad_alloc);
  failpoints::disarm();
  EXPECT_EQ(q.ledger.cut(), 2u) << "nothing is unfinished";
  const auto after = q.append();
  ASSERT_TRUE(after.ok()) << after.status().to_string();
  EXPECT_EQ(*after, 3u);
  q.ledger.finish(*after);
  auto transaction = q.made.environment->read();
  ASSERT_TRUE(transaction.ok());
  const auto tail = read_tail(**transaction, q.made.range());
  ASSERT_TRUE(tail.ok());
  EXPECT_EQ(tail->entries, 2u);
}

INSTANTIATE_TEST_SUITE_P(Durabilities, AtDurability,
                         ::testing::Values(Durability::kFull, Durability::kNone),
                         [](const auto& instance) {
                           return instance.param == Durability::kFull ? "Full" : "None";
                         });

// The store's own thread asks how large the map is while it moves: LMDB would read from the map.
TEST(GroupCommit, TellsHowLargeAMapIsThatGrows) {
  std::uint64_t asked = 0;
  for (int round = 0; round < 30; ++round) {
    TemporaryFolder folder;
    StoreOptions options = fast();
    options.map_bytes = 64 << 10;
    auto store = open_store(folder.file("s"), options);
    auto index = create(*store, 2048);
    std::atomic<bool> over{false};
    std::thread other([&] {
      while (!over) {
        EXPECT_GE(store->map_bytes(), 64u << 10);
        ++asked;
      }
    });
    MemoryIndex model(index.get(), 1);
    for (Label label = 0; label < 100; ++label) model.upsert(label);
    over = true;
    other.join();
    EXPECT_GT(store->map_bytes(), 800u << 10);
  }
  EXPECT_GT(asked, 0u);
}

TEST(GroupCommit, EverythingBesideEverything) {
  TemporaryFolder folder;
  StoreOptions options = fast();
  options.map_bytes = 1 << 20;  // grows while the others run
  auto store = open_store(folder.file("s"), options);
  auto index = create(*store, 64);
  std::atomic<std::uint32_t> next{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 150; ++i) {
        const std::uint32_t id = next.fetch_add(1);
        const std::vector<float> row = make_row(id, 0, 64);
        Operation op;
        op.label = id;
        op.node = graph::NodeId{id};
        op.row = std::as_bytes(std::span(row));
        const auto sequence = index->append(op);
        ASSERT_TRUE(sequence.ok()) << sequence.status().to_string();
        index->finish(*sequence);
      }
    });
  }
  threads.emplace_back([&] {
    for (int i = 0; i < 10; ++i) {
      std::vector<graph::NodeId> nodes, replaced(40, graph::kNoNode);
      std::vector<Label> labels;
      std::vector<graph::Level> levels(40, 0);
      std::vector<std::vector<float>> rows;
      for (int j = 0; j < 40; ++j) {
        nodes.push_back(graph::NodeId{next.fetch_add(1)});
        labels.push_back(graph::raw(nodes.back()));
        rows.push_back(make_row(labels.back(), 0, 64));
      }
      const auto sequence = index->append_batch({nodes,
                                                 labels,
                                                 levels,
                                                 replaced,
                                                 [&](std::size_t k) { return bytes_of(rows[k]); },
                                                 {},
                                                 {}});
      ASSERT_TRUE(sequence.ok()) << sequence.status().to_string();
      index->finish(*sequence);
    }
  });
  threads.emplace_back([&] {
    MemoryIndex source(index.get(), 1);
    while (!stop) ASSERT_TRUE(source.checkpoint().ok());
  });
  threads.emplace_back([&] {
    while (!stop) {
      auto reader = index->row_reader();
      ASSERT_TRUE(reader.ok());
      for (std::uint32_t id = 0; id < 200; ++id) (void)(*reader)->row(graph::NodeId{id});
      reader->reset();
      (void)index->stats();
    }
  });
  for (std::size_t i = 0; i < 4; ++i) threads[i].join();
  stop = true;
  threads[4].join();
  threads[5].join();
  Loaded loaded(64);
  ASSERT_TRUE(reload(*store, index, loaded).ok());
  ASSERT_EQ(loaded.table.size(), next.load());
  for (const auto& [id, node] : loaded.table) EXPECT_EQ(node.row, make_row(id, 0, 64));
}

}  // namespace
}  // namespace vicinal::persist::test
