// Paused writes: nothing changes meanwhile, whoever is writing (G17), and nobody waits for himself (G16).
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "tests/engine/stream_support.h"

namespace vicinal::testing {
namespace {

/// Twice the same bytes: nothing changed in between.
StreamBytes saved_twice(PausedWrites& pause) {
  StreamBytes bytes;
  StreamBytes again;
  EXPECT_TRUE(pause.save(into(bytes)).ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(pause.save(into(again)).ok());
  EXPECT_EQ(bytes, again);
  return bytes;
}

TEST(PausedWrites, WritesWaitAndSearchesGoOn) {
  Index index = filled(800);
  std::optional<PausedWrites> pause(*index.pause_writes());
  std::optional<PausedWrites> another(*index.pause_writes());
  std::atomic<int> done{0};
  std::vector<std::jthread> writers;
  writers.emplace_back([&] {
    EXPECT_TRUE(index.upsert(5000, vector_of(5000)).ok());
    ++done;
  });
  writers.emplace_back([&] {
    EXPECT_TRUE(index.erase(7).ok());
    ++done;
  });
  writers.emplace_back([&] {
    const std::vector<Label> labels = labels_up_to(300, 6000);
    EXPECT_TRUE(index.upsert_batch(labels, matrix_of(labels)).ok());
    ++done;
  });
  for (int i = 0; i < 50; ++i) EXPECT_EQ(index.search(vector_of(7), {.k = 1})->hits[0].label, 7u);
  EXPECT_EQ(loaded(saved_twice(*pause)).size(), 800u);
  pause.reset();
  EXPECT_EQ(loaded(saved_twice(*another)).size(), 800u);
  EXPECT_EQ(done.load(), 0);
  another.reset();
  writers.clear();
  EXPECT_EQ(done.load(), 3);
  EXPECT_TRUE(index.contains(5000));
  EXPECT_EQ(index.size(), 1100u);
  expect_sound(index);
}

TEST(PausedWrites, WhoPausedIsRefusedWhatWouldWaitForHim) {
  const TemporaryFolder folder;
  Store store = *Store::open(folder.file("s"), quick_store());
  Index index = *store.index("t", small_options());
  ASSERT_TRUE(index.upsert(1, vector_of(1)).ok());
  {
    PausedWrites pause = *index.pause_writes();
    EXPECT_CODE(index.upsert(2, vector_of(2)).status(), kBusy, "paused");
    const std::vector<Label> labels{3};
    EXPECT_CODE(index.upsert_batch(labels, vector_of(3)).status(), kBusy, "paused");
    EXPECT_CODE(index.erase(1).status(), kBusy, "paused");
    EXPECT_CODE(index.erase_batch(labels).status(), kBusy, "paused");
    EXPECT_CODE(index.repair().status(), kBusy, "paused");
    EXPECT_CODE(index.rebuild(), kBusy, "paused");
    EXPECT_CODE(index.checkpoint(), kBusy, "paused");
    EXPECT_CODE(index.reserve(10'000), kBusy, "paused");
    EXPECT_CODE(store.close(), kBusy, "index \"t\"");
    // From the callback of a save, too.
    ASSERT_OK(pause.save([&](std::span<const std::byte>) {
      EXPECT_CODE(index.upsert(2, vector_of(2)).status(), kBusy, "paused");
      EXPECT_CODE(index.pause_writes().status(), kBusy, "callback");
      StreamBytes second;
      EXPECT_CODE(pause.save(into(second)), kBusy, "one save at a time");
      EXPECT_TRUE(second.empty());
      return Status();
    }));
    EXPECT_EQ(loaded(saved_twice(pause)).size(), 1u);
  }
  EXPECT_TRUE(index.upsert(2, vector_of(2)).ok());
  ASSERT_OK(store.close());
}

// The system gives a thread's number again to a later thread, which has paused nothing.
TEST(PausedWrites, OfAThreadThatHasEndedAreNoLaterThreads) {
  Index index = filled(50);
  std::optional<PausedWrites> pause;
  std::jthread([&] { pause.emplace(*index.pause_writes()); }).join();
  std::vector<std::jthread> writers;
  std::atomic<int> refused{0};
  for (Label label = 0; label < 8; ++label) {
    writers.emplace_back([&, label] {
      if (!index.upsert(label, vector_of(label, 3)).ok()) ++refused;
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  pause.reset();
  writers.clear();
  EXPECT_EQ(refused, 0);
}

TEST(PausedWrites, IsRefusedInCallbacks) {
  Index index = filled(700);
  int asked = 0;
  const auto refused = [&] {
    ++asked;
    EXPECT_CODE(index.pause_writes().status(), kBusy, "callback");
    return true;
  };
  SearchOptions search;
  search.filter.predicate = [&](Label) { return refused(); };
  ASSERT_TRUE(index.search(vector_of(1), search).ok());
  BatchOptions options;
  options.progress = [&](const Progress&) { return refused(); };
  const std::vector<Label> labels = labels_up_to(50, 9000);
  ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels), options).ok());
  ASSERT_OK(index.save([&](std::span<const std::byte>) {
    refused();
    return Status();
  }));
  EXPECT_GE(asked, 3);
}

TEST(PausedWrites, RowsThatAreNotInMemoryAreNotSaved) {
  const TemporaryFolder folder;
  Store store = *Store::open(folder.file("s"), quick_store());
  IndexOptions options = small_options();
  options.vectors_in_memory = false;
  Index index = *store.index("t", options);
  ASSERT_TRUE(index.upsert(1, vector_of(1)).ok());
  StreamBytes bytes;
  EXPECT_CODE(index.pause_writes()->save(into(bytes)), kInvalidArgument, "not in memory");
}

/// Writers of every kind, until they are told to stop.
class Writers {
 public:
  explicit Writers(Index index) {
    start([=, this](std::uint64_t i) mutable {
      ASSERT_TRUE(index.upsert(i % 300, vector_of(i % 300, i)).ok());
      if (i % 5 == 0) {
        ASSERT_TRUE(index.erase((i + 150) % 300).ok());
      }
    });
    start([=, this](std::uint64_t i) mutable {
      const std::vector<Label> labels = labels_up_to(200, 10'000 + 200 * (i % 3));
      ASSERT_TRUE(index.upsert_batch(labels, matrix_of(labels, i), {.threads = 2}).ok());
      ASSERT_TRUE(index.erase_batch(labels).ok());
    });
    start([=, this](std::uint64_t i) mutable {
      if (i % 10 == 9) {
        const Status status = index.rebuild();
        ASSERT_TRUE(status.ok()) << status.to_string();
      } else {
        ASSERT_OK(index.repair({.slice = 300}).status());
      }
    });
  }
  ~Writers() { stop_.store(true); }

 private:
  template <typename Write>
  void start(Write write) {
    threads_.emplace_back([this, write]() mutable {
      for (std::uint64_t i = 0; !stop_.load(); ++i) write(i);
    });
  }

  std::atomic<bool> stop_{false};
  std::vector<std::jthread> threads_;  // end first
};

TEST(PausedWrites, StandStillBesideEveryWriter) {
  const Index index = filled(600);
  const Writers writers(index);
  for (std::size_t i = 0; i < for_sanitizer(25); ++i) {
    std::optional<PausedWrites> pause(*index.pause_writes());
    const StreamBytes bytes = saved_twice(*pause);
    const std::uint64_t live = index.size();
    pause.reset();
    EXPECT_EQ(loaded(bytes).size(), live);
  }
}

TEST(PausedWrites, WhileAFlatIndexBecomesAGraph) {
  for (int round = 0; round < 5; ++round) {
    Index index = *Index::in_memory(flat_options());
    std::jthread writer([&] {
      for (Label label = 0; label < 700; ++label) {
        ASSERT_TRUE(index.upsert(label, vector_of(label)).ok());
      }
    });
    for (std::uint64_t size = 0; size < 700;) {
      std::optional<PausedWrites> pause(*index.pause_writes());
      const StreamBytes bytes = saved_twice(*pause);
      size = index.size();
      pause.reset();
      EXPECT_EQ(loaded(bytes).size(), size);
    }
  }
}

}  // namespace
}  // namespace vicinal::testing
