// A child is killed, at random and at failpoints; what it was told is stored must be there, what it
// was not told is there whole or not at all (P1, P2, P4). Acknowledgements live in a shared
// mapping. A killed process stands for a crash of the program; a power cut is the device's and
// fsync's matter.
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "persist/failpoints.h"
#include "tests/child.h"
#include "tests/persist/loaded.h"
#include "tests/persist/memory_index.h"
#include "tests/persist/support.h"

namespace vicinal::persist::test {
namespace {

constexpr std::uint32_t kLabels = 64;
constexpr std::uint32_t kCrashDimension = 100;
constexpr std::uint32_t kBatches = 256;
constexpr std::uint32_t kBatchRows = 40;
constexpr Label kBatchLabels = 1 << 20;

/// Per label of the single writers: the generation begun and the one acknowledged. 0: none; an
/// erasure is a generation, too (odd: stored, even: erased).
struct Shared {
  std::atomic<std::uint64_t> begun[kLabels];
  std::atomic<std::uint64_t> acknowledged[kLabels];
  std::atomic<std::uint32_t> batches_begun;
  std::atomic<std::uint32_t> batches_acknowledged;
};

/// Each thread owns a share of the labels; slots of dead nodes are freed and reused at times.
void write_for_ever(const std::string& path, Durability durability, Shared* shared,
                    std::uint64_t seed) {
  StoreOptions options;
  options.durability = durability;
  auto store = open_store(path, options);
  auto index = reopen(*store);
  Loaded loaded(kCrashDimension);
  if (!index->load(loaded, {}).ok()) ::_exit(3);
  std::atomic<std::uint32_t> next{static_cast<std::uint32_t>(loaded.node_limit)};
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(seed + t);
      std::map<Label, graph::NodeId> mine;
      std::vector<graph::NodeId> dead;
      std::vector<graph::NodeId> free;
      for (const auto& [id, node] : loaded.table) {
        if (node.state == graph::NodeState::kLive && node.label < kLabels && node.label % 3 == t) {
          mine[node.label] = graph::NodeId{id};
        }
      }
      for (;;) {
        const Label label = (random() % (kLabels / 3)) * 3 + t;
        Operation op;
        op.label = label;
        std::vector<float> row;
        std::uint64_t generation = shared->acknowledged[label] + 1;
        const bool store_it = generation % 2 == 1 || random() % 2 == 0;
        if (store_it) {
          if (generation % 2 == 0) ++generation;
          row = make_row(label, generation, kCrashDimension);
          op.row = std::as_bytes(std::span(row));
          if (!free.empty()) {
            op.node = free.back();
            free.pop_back();
          } else {
            op.node = graph::NodeId{next.fetch_add(1)};
          }
          if (mine.contains(label)) op.replaced = mine[label];
        } else {
          op.kind = OperationKind::kErase;
          op.node = mine[label];
        }
        shared->begun[label] = generation;
        const auto sequence = index->append(op);
        if (!sequence.ok()) ::_exit(4);
        index->finish(*sequence);
        shared->acknowledged[label] = generation;
        if (mine.contains(label)) dead.push_back(mine[label]);
        mine.erase(label);
        if (store_it) mine[label] = op.node;
        if (dead.size() > 8) {
          Operation release;
          release.kind = OperationKind::kFree;
          release.nodes = dead;
          const auto freed = index->append(release);
          if (!freed.ok()) ::_exit(5);
          index->finish(*freed);
          free.insert(free.end(), dead.begin(), dead.end());
          dead.clear();
        }
      }
    });
  }
  threads.emplace_back([&] {
    for (std::uint32_t b = shared->batches_begun; b < kBatches; ++b) {
      std::vector<graph::NodeId> nodes, replaced(kBatchRows, graph::kNoNode);
      std::vector<Label> labels;
      std::vector<graph::Level> levels(kBatchRows, 1);
      std::vector<std::vector<float>> rows;
      for (std::uint32_t i = 0; i < kBatchRows; ++i) {
        nodes.push_back(graph::NodeId{next.fetch_add(1)});
        labels.push_back(kBatchLabels + b * kBatchRows + i);
        rows.push_back(make_row(labels.back(), b, kCrashDimension));
      }
      shared->batches_begun = b + 1;
      const auto sequence = index->append_batch({nodes,
                                                 labels,
                                                 levels,
                                                 replaced,
                                                 [&](std::size_t k) { return bytes_of(rows[k]); },
                                                 {},
                                                 {}});
      if (!sequence.ok()) ::_exit(6);
      index->finish(*sequence);
      shared->batches_acknowledged = b + 1;
    }
  });
  threads.emplace_back([&] {
    MemoryIndex source(index.get(), 1);
    for (;;) {
      if (!source.checkpoint().ok()) ::_exit(7);
    }
  });
  for (std::thread& thread : threads) thread.join();
}

void expect_kept(const std::string& path, const Shared& shared) {
  auto store = open_store(path, fast());
  ASSERT_NE(store, nullptr);
  auto index = reopen(*store);
  Loaded loaded(kCrashDimension);
  const auto report = index->load(loaded, {});
  ASSERT_TRUE(report.ok()) << report.status().to_string();
  EXPECT_EQ(report->damaged_links, 0u);
  std::vector<std::string> messages;
  EXPECT_EQ(*index->verify(&messages), 0u) << messages[0];
  const auto live = loaded.live();
  std::uint64_t explained = 0;
  for (Label label = 0; label < kLabels; ++label) {
    const std::uint64_t told = shared.acknowledged[label];
    const std::uint64_t begun = shared.begun[label];
    const auto found = live.find(label);
    const auto is = [&](std::uint64_t generation) {
      if (generation % 2 == 0) return found == live.end();  // none, or erased
      return found != live.end() && found->second == make_row(label, generation, kCrashDimension);
    };
    EXPECT_TRUE(is(told) || is(begun))
        << "label " << label << " told " << told << " begun " << begun;
    if (found != live.end()) ++explained;
  }
  for (std::uint32_t b = 0; b < shared.batches_begun; ++b) {
    std::uint32_t rows = 0;
    for (std::uint32_t i = 0; i < kBatchRows; ++i) {
      const Label label = kBatchLabels + b * kBatchRows + i;
      const auto found = live.find(label);
      if (found == live.end()) continue;
      EXPECT_EQ(found->second, make_row(label, b, kCrashDimension))
          << "batch " << b << " row " << i;
      ++rows;
    }
    EXPECT_TRUE(rows == 0 || rows == kBatchRows) << "batch " << b << ": " << rows;
    // Batch b is acknowledged unless it was the one in flight when a child died.
    if (b < shared.batches_acknowledged && b + 1 == shared.batches_acknowledged) {
      EXPECT_EQ(rows, kBatchRows) << "batch " << b;
    }
    explained += rows;
  }
  EXPECT_EQ(explained, live.size());
}

/// After a crash the last operation in flight may or may not have happened: from here on the truth
/// is what is stored.
void settle(const std::string& path, Shared* shared) {
  auto store = open_store(path, fast());
  auto index = reopen(*store);
  Loaded loaded(kCrashDimension);
  ASSERT_TRUE(index->load(loaded, {}).ok());
  const auto live = loaded.live();
  for (Label label = 0; label < kLabels; ++label) {
    const std::uint64_t begun = shared->begun[label];
    const auto found = live.find(label);
    const bool happened =
        begun % 2 == 0
            ? found == live.end()
            : found != live.end() && found->second == make_row(label, begun, kCrashDimension);
    if (happened) shared->acknowledged[label] = begun;
    shared->begun[label] = shared->acknowledged[label].load();
  }
}

class Crash : public ::testing::Test {
 protected:
  void SetUp() override {
    void* memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    shared_ = new (memory) Shared{};
    path_ = folder_.file("s");
    auto store = open_store(path_, fast());
    auto index = create(*store, kCrashDimension);
  }
  void TearDown() override { ::munmap(shared_, sizeof(Shared)); }

  /// Runs a child that writes until it is killed after `delay`, or by a failpoint that `prepare`
  /// arms.
  void run_child(Durability durability, std::uint64_t seed, std::chrono::milliseconds delay,
                 const std::function<void()>& prepare) {
    const pid_t child = testing::fork_child();
    ASSERT_GE(child, 0);
    if (child == 0) {
      prepare();
      write_for_ever(path_, durability, shared_, seed);
      ::_exit(0);
    }
    int status = 0;
    const auto deadline = std::chrono::steady_clock::now() + delay;
    while (::waitpid(child, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() >= deadline) {
        ::kill(child, SIGKILL);
        ::waitpid(child, &status, 0);
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "child ended by itself: " << WEXITSTATUS(status);
    expect_kept(path_, *shared_);
    settle(path_, shared_);
  }

  TemporaryFolder folder_;
  std::string path_;
  Shared* shared_ = nullptr;
};

TEST_F(Crash, P1KilledAtRandom) {
  std::mt19937_64 random(7);
  constexpr std::array<Durability, 3> kModes = {Durability::kNone, Durability::kRelaxed,
                                                Durability::kFull};
  for (int round = 0; round < 9; ++round) {
    const std::chrono::milliseconds delay(10 + random() % 150);
    run_child(kModes[static_cast<std::size_t>(round) % 3], random(), delay, [] {});
    if (HasFailure()) FAIL() << "round " << round;
  }
  std::uint64_t writes = 0;
  for (const auto& generation : shared_->acknowledged) writes += generation;
  EXPECT_GT(writes, 0u);
}

TEST_F(Crash, P2P4KilledAtFailpoints) {
  constexpr std::array<const char*, 9> kPoints = {
      "append.before_commit",     "batch.before_entry",
      "batch.before_commit",      "batch.between",
      "checkpoint.after_links",   "checkpoint.before_step_commit",
      "checkpoint.between_steps", "checkpoint.between_links",
      "checkpoint.between_rows"};
  std::uint64_t seed = 1;
  for (const char* point : kPoints) {
    for (const int countdown : {1, 5}) {
      run_child(Durability::kNone, seed++, std::chrono::milliseconds(100),
                [&] { failpoints::arm(point, failpoints::Action::kKill, countdown); });
      if (HasFailure()) FAIL() << point;
    }
  }
}

// A batch of several transactions, stopped between them: nothing of it counts, and its slots serve.
TEST(CrashBatch, P2PartsOfABatchDoNotCount) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  auto index = create(*store, 65536);
  MemoryIndex model(index.get(), 1);
  model.batch(0, 3);
  failpoints::arm("batch.between", failpoints::Action::kFail);
  EXPECT_FALSE(model.batch(100, 600, false));  // 256 chunks to a transaction
  failpoints::disarm();
  model.batch(200, 5);
  ASSERT_TRUE(model.checkpoint().ok());
  Loaded loaded(65536);
  ASSERT_TRUE(reload(*store, index, loaded).ok());
  EXPECT_EQ(loaded.table.size(), 8u);
  for (const auto& [id, node] : model.table) EXPECT_TRUE(loaded.table.at(id) == node);
}

// What a batch whose rest is taken back says, is said whole or not at all.
TEST(CrashBatch, P2FreedAndResurrectedInOneCommit) {
  TemporaryFolder folder;
  auto store = open_store(folder.file("s"), fast());
  auto index = create(*store, 8);
  MemoryIndex model(index.get(), 1);
  model.batch(0, 10);
  const std::map<std::uint32_t, Node> before = model.table;
  model.batch(0, 10);  // replaces all of them
  std::vector<graph::NodeId> old, fresh;
  std::vector<Label> labels;
  for (const auto& [id, node] : model.table) {
    (before.contains(id) ? old : fresh).push_back(graph::NodeId{id});
    if (before.contains(id)) labels.push_back(node.label);
  }
  Batch back;
  back.resurrected = old;
  back.resurrected_labels = labels;
  back.freed = fresh;
  failpoints::arm("batch.before_commit", failpoints::Action::kFail);
  EXPECT_FALSE(index->append_batch(back).ok());
  failpoints::disarm();
  {
    Loaded loaded(8);
    ASSERT_TRUE(reload(*store, index, loaded).ok());
    EXPECT_EQ(loaded.table, model.table);
  }
  const auto sequence = index->append_batch(back);
  ASSERT_TRUE(sequence.ok());
  model.attach(index.get());
  EXPECT_EQ(model.checkpoint()->journal_entries, 2u) << "none that is not finished, none after it";
  for (int round = 0; round < 2; ++round) {
    Loaded loaded(8);
    ASSERT_TRUE(reload(*store, index, loaded).ok());
    EXPECT_EQ(loaded.table, before) << "round " << round;
    model.attach(index.get());
    model.table = before;
    ASSERT_TRUE(model.checkpoint().ok());
  }
}

// Rows in slots that are used again go to their chunks first; stopped in between, nothing shows.
TEST(CrashCheckpoint, ScatteredRowsOfAnyStepMayBeStored) {
  for (const int steps : {1, 2, 3}) {
    TemporaryFolder folder;
    auto store = open_store(folder.file("s"), fast());
    auto index = create(*store, 1024);
    MemoryIndex model(index.get(), 3);
    model.batch(0, 2000);
    model.erase_batch(900);
    ASSERT_TRUE(model.checkpoint().ok());
    for (Label label = 0; label < 300; ++label) {
      model.free_tombstones(3);
      model.upsert(5000 + label);
      if (label % 3 == 0) model.erase(5000 + label / 2);
    }
    failpoints::arm("checkpoint.between_rows", failpoints::Action::kFail, steps);
    EXPECT_FALSE(model.checkpoint().ok());
    failpoints::disarm();
    for (int round = 0; round < 2; ++round) {
      Loaded loaded(1024);
      ASSERT_TRUE(reload(*store, index, loaded).ok());
      model.attach(index.get());
      EXPECT_TRUE(loaded.table == model.table) << "round " << round;
      std::vector<std::string> messages;
      EXPECT_EQ(*index->verify(&messages), 0u) << messages[0];
      // More of the same slots, between a checkpoint that failed and one that does not.
      if (round == 0) {
        for (Label label = 0; label < 50; ++label) {
          model.free_tombstones(2);
          model.upsert(7000 + label);
        }
      }
      ASSERT_TRUE(model.checkpoint().ok());
    }
  }
}

TEST(CrashCheckpoint, R2FailedOneGivesBackAndTheNextStoresAll) {
  for (const char* point :
       {"checkpoint.after_links", "checkpoint.before_step_commit", "checkpoint.between_links"}) {
    TemporaryFolder folder;
    auto store = open_store(folder.file("s"), fast());
    auto index = create(*store, 8);
    MemoryIndex model(index.get(), 1);
    for (Label label = 0; label < 30; ++label) model.upsert(label);
    failpoints::arm(point, failpoints::Action::kFail);
    EXPECT_FALSE(model.checkpoint().ok()) << point;
    failpoints::disarm();
    const auto report = model.checkpoint();
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->journal_entries, 30u);
    Loaded loaded(8);
    ASSERT_TRUE(reload(*store, index, loaded).ok());
    EXPECT_EQ(loaded.table.size(), 30u);
    EXPECT_EQ(loaded.all_links.size(), 30u);
  }
}

}  // namespace
}  // namespace vicinal::persist::test
