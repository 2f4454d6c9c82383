// The small parts: candidate pool, visited set, epochs, scratch pool, left slots, levels.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <latch>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "graph/candidates.h"
#include "graph/epoch.h"
#include "graph/graph_state.h"
#include "graph/scratch.h"
#include "graph/visited.h"
#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

using Entry = std::pair<float, std::uint32_t>;

// Compares the pool with a set after every step; distances repeat and may be negative.
void run_pool_model(std::size_t capacity, std::uint64_t seed) {
  SCOPED_TRACE(::testing::Message() << "capacity " << capacity << " seed " << seed);
  std::mt19937_64 random(seed);
  CandidatePool pool;
  pool.reset(capacity);
  std::set<Entry> model;
  std::set<Entry> expanded;
  for (std::uint32_t id = 0; id < 400; ++id) {
    const float distance = static_cast<float>(static_cast<int>(random() % 41) - 20) * 0.25f;
    const std::uint32_t node = id * 7919u % 4001u;
    const bool kept = pool.insert(distance, NodeId{node});
    model.emplace(distance, node);
    bool expected = true;
    if (model.size() > capacity) {
      expected = std::prev(model.end()) != model.find({distance, node});
      model.erase(std::prev(model.end()));
    }
    ASSERT_EQ(kept, expected);
    ASSERT_EQ(pool.size(), model.size());
    ASSERT_EQ(pool.full(), model.size() == capacity);
    if (!model.empty()) {
      ASSERT_EQ(pool[pool.size() - 1].distance, std::prev(model.end())->first);
    }
    if (random() % 3 == 0) {
      const auto next = std::find_if(model.begin(), model.end(),
                                     [&](const Entry& e) { return !expanded.contains(e); });
      const NodeId wanted = next == model.end() ? kNoNode : NodeId{next->second};
      ASSERT_EQ(pool.next_entry() == CandidatePool::kNone, next == model.end());
      std::vector<NodeId> peeked;
      pool.peek(1, [&](NodeId n) { peeked.push_back(n); });
      ASSERT_EQ(peeked, next == model.end() ? std::vector<NodeId>{} : std::vector{wanted});
      ASSERT_EQ(pool.take_next(), wanted);
      if (wanted != kNoNode) expanded.insert(*next);
    }
  }
  std::size_t at = 0;
  for (const Entry& e : model) {
    ASSERT_EQ(pool[at].distance, e.first);
    ASSERT_EQ(raw(pool[at].node), e.second);
    ++at;
  }
}

TEST(CandidatePool, EqualsASetAtEveryCapacity) {
  for (const std::size_t capacity : {1, 2, 3, 17, 64, 500}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) run_pool_model(capacity, seed);
  }
}

// Many at once are kept as if they had come one by one, whatever was expanded before.
TEST(CandidatePool, OfferAndMergeEqualInsert) {
  const Result<const kernels::KernelTable*> kernels = kernels::active_kernels();
  ASSERT_TRUE(kernels.ok()) << kernels.status().to_string();
  std::mt19937_64 random(3);
  for (const std::size_t capacity : {1, 2, 17, 200}) {
    CandidatePool together;
    CandidatePool single;
    together.reset(capacity);
    single.reset(capacity);
    std::uint32_t next_id = 0;
    for (int round = 0; round < 100; ++round) {
      std::vector<std::uint32_t> ids(random() % (round % 10 == 0 ? 300 : 80));
      std::vector<float> distances;
      for (std::uint32_t& id : ids) {
        id = next_id++ * 7919u % 65537u;
        distances.push_back(static_cast<float>(random() % 1000));
      }
      std::set<std::uint32_t> kept;
      together.offer(**kernels, ids.data(), distances.data(), ids.size(),
                     [&](const std::uint64_t* entries, std::size_t count) {
                       for (std::size_t i = 0; i < count; ++i) {
                         kept.insert(raw(CandidatePool::node_of(entries[i])));
                       }
                       together.merge(entries, count);
                     });
      for (std::size_t i = 0; i < ids.size(); ++i) single.insert(distances[i], NodeId{ids[i]});
      ASSERT_EQ(together.size(), single.size());
      for (std::size_t i = 0; i < single.size(); ++i) {
        ASSERT_EQ(together[i].node, single[i].node);
        ASSERT_EQ(together[i].distance, single[i].distance);
      }
      for (const std::uint32_t id : ids) {
        for (std::size_t i = 0; i < single.size(); ++i) {
          if (raw(single[i].node) == id) {
            ASSERT_TRUE(kept.contains(id));
          }
        }
      }
      for (std::uint64_t i = random() % 5; i > 0; --i) {
        ASSERT_EQ(together.take_next(), single.take_next());
      }
    }
  }
}

TEST(CandidatePool, KeepsLargeAndTinyDistancesAndTheLargestId) {
  CandidatePool pool;
  pool.reset(8);
  const std::vector<float> distances = {3e38f, -3e38f, 1e-40f, -1e-40f, 0.0f};
  for (std::size_t i = 0; i < distances.size(); ++i) {
    EXPECT_TRUE(pool.insert(distances[i], NodeId{kMaxNodes - 1 - static_cast<std::uint32_t>(i)}));
  }
  EXPECT_EQ(pool[0].distance, -3e38f);
  EXPECT_EQ(pool[1].distance, -1e-40f);
  EXPECT_EQ(pool[2].distance, 0.0f);
  EXPECT_EQ(pool[3].distance, 1e-40f);
  EXPECT_EQ(pool[4].distance, 3e38f);
  EXPECT_EQ(raw(pool[4].node), kMaxNodes - 1);
}

TEST(CandidatePool, KeepsNothingAtCapacityZeroButStaysUsable) {
  CandidatePool pool;
  pool.reset(0);
  EXPECT_EQ(pool.take_next(), kNoNode);
  EXPECT_FALSE(pool.insert(1, NodeId{1}));
  const std::uint32_t id = 1;
  const float distance = 1;
  pool.offer(**kernels::active_kernels(), &id, &distance, 1,
             [](const std::uint64_t*, std::size_t) { FAIL(); });
  pool.reset(2);
  EXPECT_TRUE(pool.insert(1, NodeId{1}));
  EXPECT_EQ(pool.size(), 1u);
}

TEST(VisitedSet, ForgetsAtResetAndAfterTheTagWraps) {
  VisitedSet visited;
  std::mt19937 random(1);
  for (int round = 0; round < 140000; ++round) {  // more than twice around the 16-bit tag
    visited.reset(1000);
    const std::uint32_t id = random() % 1000;
    ASSERT_TRUE(visited.insert(id)) << "round " << round;
    ASSERT_FALSE(visited.insert(id));
    // Words that only the first rounds touched must not come back when their tag does.
    if (round < 100 || round % 1000 == 0 || (round + 1) % 65535 < 3) {
      ASSERT_TRUE(visited.insert(id < 500 ? 999 : 0)) << "round " << round;
    }
  }
}

TEST(VisitedSet, GrowsInTheMiddleOfASearch) {
  VisitedSet visited;
  visited.reset(10);
  EXPECT_TRUE(visited.insert(3));
  EXPECT_TRUE(visited.insert(1000000));
  EXPECT_FALSE(visited.insert(3));
  EXPECT_FALSE(visited.insert(1000000));
  EXPECT_TRUE(visited.insert(999999));
}

TEST(EpochDomain, AReaderInsideBlocksWhatWasTaggedSinceItEntered) {
  EpochDomain epochs;
  EpochDomain::Participant* reader = epochs.add_participant();
  epochs.enter(*reader);
  const std::uint64_t tag = epochs.retire_tag();
  EXPECT_LE(epochs.advance(), tag);
  EXPECT_LE(epochs.advance(), tag);
  EpochDomain::leave(*reader);
  EXPECT_GT(epochs.advance(), tag);
}

TEST(EpochDomain, AReaderThatEntersLaterDoesNotBlock) {
  EpochDomain epochs;
  EpochDomain::Participant* reader = epochs.add_participant();
  const std::uint64_t tag = epochs.retire_tag();
  epochs.advance();
  epochs.enter(*reader);
  EXPECT_GT(epochs.advance(), tag);
  EpochDomain::leave(*reader);
}

// Readers must never see a cell that the reclaimer has scribbled over.
TEST(EpochDomain, ReclaimNeverOvertakesAReader) {
  EpochDomain epochs;
  struct Cell {
    std::atomic<std::uint32_t> alive{0};
  };
  std::vector<Cell> cells(64);
  std::atomic<std::uint32_t> current{0};
  cells[0].alive = 1;
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      // New participants now and then: they must be seen too.
      EpochDomain::Participant* p = nullptr;
      for (int made = 0; !stop.load(); ++made) {
        if (made < 100) p = epochs.add_participant();
        for (int round = 0; round < 500; ++round) {
          epochs.enter(*p);
          const std::uint32_t at = current.load(std::memory_order_acquire);
          if (cells[at].alive.load(std::memory_order_relaxed) == 0) wrong.fetch_add(1);
          EpochDomain::leave(*p);
        }
      }
    });
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  for (std::uint32_t i = 1; std::chrono::steady_clock::now() < end; ++i) {
    const std::uint32_t next = i % 64;
    cells[next].alive.store(1, std::memory_order_relaxed);
    const std::uint32_t old = current.exchange(next, std::memory_order_acq_rel);
    const std::uint64_t tag = epochs.retire_tag();
    while (epochs.advance() <= tag) std::this_thread::yield();
    cells[old].alive.store(0, std::memory_order_relaxed);
  }
  stop = true;
  readers.clear();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(ScratchPool, GivesAHundredThreadsAHundredScratches) {
  EpochDomain epochs;
  EpochDomain linkers;
  ScratchPool pool(epochs);
  pool.begin_linking(linkers);
  constexpr int kThreads = 100;
  for (int round = 0; round < 3; ++round) {
    std::latch all_borrowed(kThreads);
    std::vector<Scratch*> borrowed(kThreads);
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        const BorrowedScratch scratch(pool);
        borrowed[i] = &*scratch;
        scratch->query.assign(100, static_cast<float>(i));
        all_borrowed.arrive_and_wait();
        for (const float q : scratch->query) {
          if (q != static_cast<float>(i)) std::abort();
        }
      });
    }
    threads.clear();
    const std::set<Scratch*> distinct(borrowed.begin(), borrowed.end());
    EXPECT_EQ(distinct.size(), static_cast<std::size_t>(kThreads));
  }
  // Reused, not made anew in each round, and counted with their buffers.
  EXPECT_EQ(pool.bytes(),
            sizeof(ScratchShelf) + kThreads * (sizeof(Scratch) + 100 * sizeof(float)));
  const std::uint64_t tag = epochs.retire_tag();
  EXPECT_GT(epochs.advance(), tag);  // all have left
}

TEST(ScratchPool, FlatGraphsShareScratchesAndHaveTheirEpochs) {
  EpochDomain epochs[2];
  EpochDomain linkers;
  ScratchPool pools[] = {ScratchPool(epochs[0]), ScratchPool(epochs[1])};
  Scratch* first = nullptr;
  {
    const BorrowedScratch scratch(pools[0]);
    first = &*scratch;
    const std::uint64_t tag = epochs[0].retire_tag();
    EXPECT_LE(epochs[0].advance(), tag);  // it is inside
    const BorrowedScratch other(pools[1]);
    EXPECT_NE(&*other, first);
    EXPECT_NE(other->participant, scratch->participant);
  }
  for (EpochDomain& domain : epochs) {
    const std::uint64_t tag = domain.retire_tag();
    EXPECT_GT(domain.advance(), tag);
  }
  EXPECT_EQ(pools[0].bytes(), 0u);
  const BorrowedScratch kept(pools[0]);
  pools[0].begin_linking(linkers);
  const BorrowedScratch own(pools[0]);
  EXPECT_NE(own->shelf, kept->shelf);
  EXPECT_NE(own->linker, nullptr);
  const std::uint64_t tag = epochs[0].retire_tag();
  EXPECT_LE(epochs[0].advance(), tag);  // both are inside
}

TEST(ScratchPool, BorrowsInsideBorrows) {
  EpochDomain epochs;
  EpochDomain linkers;
  ScratchPool pool(epochs);
  pool.begin_linking(linkers);
  const BorrowedScratch outer(pool);
  const BorrowedScratch inner(pool);
  EXPECT_NE(&*outer, &*inner);
  EXPECT_NE(outer->participant, inner->participant);
}

TEST(Levels, FollowTheGeometricLawAndTheSeed) {
  for (const std::uint32_t M : {4u, 16u, 64u}) {
    Config config;
    config.dimension = 2;
    config.M = M;
    const auto kernels = kernels::active_kernels();
    ASSERT_TRUE(kernels);
    const GraphState a(config, **kernels, nullptr);
    const GraphState b(config, **kernels, nullptr);
    config.seed = 43;
    const GraphState other(config, **kernels, nullptr);
    constexpr std::uint32_t kDraws = 200000;
    std::vector<double> at_least(kMaxLevels + 1);
    std::size_t same = 0;
    for (Label label = 0; label < kDraws; ++label) {
      const Level level = a.draw_level(label);
      ASSERT_LT(level, kMaxLevels);
      ASSERT_EQ(level, b.draw_level(label));
      same += level == other.draw_level(label) ? 1 : 0;
      for (Level l = 0; l <= level; ++l) ++at_least[l];
    }
    // P(level >= l) = M^-l
    for (Level l = 1; l <= 3; ++l) {
      const double expected = kDraws * std::pow(1.0 / M, l);
      if (expected < 50) break;
      EXPECT_NEAR(at_least[l], expected, 5 * std::sqrt(expected)) << "M " << M << " level " << l;
    }
    EXPECT_LT(same, std::size_t{kDraws});
  }
}

// Slots that were left: none is out before its readers have left, and all are soon behind them, however
// steadily others follow.
TEST(LeftSlots, AreOutBehindTheirReadersAndNotMuchLater) {
  std::mt19937 random(1);
  LeftSlots left;
  left.reserve(4000);
  std::vector<std::uint64_t> tag_of;
  std::vector<bool> out;
  std::uint64_t oldest = 0;
  for (std::uint64_t tag = 1; tag <= 300; ++tag) {
    std::vector<NodeId> slots(random() % 12);
    for (NodeId& slot : slots) {
      slot = NodeId{static_cast<std::uint32_t>(tag_of.size())};
      tag_of.push_back(tag);
      out.push_back(false);
    }
    left.leave(slots, tag);
    // Readers of the last few tags are there, at times for long.
    if (random() % 4 != 0)
      oldest = std::max(oldest, tag - std::min<std::uint64_t>(tag, random() % 4));
    left.take(oldest, [&](NodeId slot) {
      EXPECT_LT(tag_of[raw(slot)], oldest);
      EXPECT_FALSE(out[raw(slot)]);
      out[raw(slot)] = true;
    });
    for (std::size_t i = 0; i < out.size(); ++i) {
      ASSERT_TRUE(out[i] || tag_of[i] + 30 >= oldest) << i;
    }
  }
  left.take(1000, [&](NodeId slot) { out[raw(slot)] = true; });
  EXPECT_TRUE(left.empty());
  EXPECT_EQ(std::count(out.begin(), out.end(), true), static_cast<std::ptrdiff_t>(out.size()));
}

TEST(LeftSlots, OfOneTagAreHandedOutLastFirst) {
  LeftSlots left;
  const std::vector<NodeId> slots = {NodeId{3}, NodeId{5}, NodeId{4}};
  left.leave(slots, 7);
  std::vector<NodeId> got;
  const auto put = [&](NodeId slot) { got.push_back(slot); };
  left.take(7, put);
  EXPECT_TRUE(got.empty());
  left.take(8, put);
  EXPECT_EQ(got, (std::vector<NodeId>{NodeId{4}, NodeId{5}, NodeId{3}}));
  EXPECT_TRUE(left.empty());
}

}  // namespace
}  // namespace vicinal::graph::testing
