// Memory that runs out while nodes are added: nothing is taken, nothing is lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "graph/candidates.h"
#include "tests/graph/support.h"
#include "vicinal/memory.h"

namespace vicinal::graph::testing {
namespace {

std::atomic<std::int64_t> allocations_left{1'000'000'000};

void* allocate(std::size_t size, std::size_t alignment) {
  if (allocations_left.fetch_sub(1) <= 0) return nullptr;
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}
void deallocate(void* pointer, std::size_t /*size*/, std::size_t /*alignment*/) {
  std::free(pointer);
}

// Once per process, before anything is allocated.
bool allocator_is_ours() {
  static const bool set = set_allocator({allocate, deallocate});
  return set;
}

TEST(OutOfMemory, APoolThatCouldNotGrowIsWholeNextTime) {
  ASSERT_TRUE(allocator_is_ours());
  const kernels::KernelTable& kernels = **kernels::active_kernels();
  for (std::int64_t limit = 0; limit < 2; ++limit) {
    CandidatePool pool;
    std::uint32_t next_id = 0;
    const auto fill = [&](std::size_t capacity, std::uint32_t count) {
      pool.reset(capacity);
      for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t id = next_id++;
        const float distance = static_cast<float>(count - i);
        pool.offer(kernels, &id, &distance, 1,
                   [&](const std::uint64_t* entries, std::size_t n) { pool.merge(entries, n); });
      }
      ASSERT_EQ(pool.size(), std::min<std::size_t>(capacity, count));
    };
    fill(50, 1);
    allocations_left = limit;
    EXPECT_THROW(pool.reset(1000), std::bad_alloc);
    allocations_left = 1'000'000'000;
    fill(50, 1);  // merging swaps the pool's two buffers, of which one may have grown
    fill(1000, 1500);
    fill(1000, 1501);
  }
}

TEST(OutOfMemory, AddNodesTakesAllSlotsOrNone) {
  ASSERT_TRUE(allocator_is_ours());
  const Rows rows = clustered(10000, 4, 5);
  std::vector<Graph::NewNode> nodes;
  for (std::size_t i = 0; i < rows.size(); ++i) nodes.push_back({i, rows.bytes(i)});
  Config config;
  config.dimension = 4;
  std::size_t failures = 0;
  for (std::int64_t limit = 0;; ++limit) {
    const auto g = make_graph(config);
    allocations_left = limit;
    bool failed = false;
    try {
      ASSERT_TRUE(g->add_nodes(nodes, 2).ok());
    } catch (const std::bad_alloc&) {
      failed = true;
    }
    allocations_left = 1'000'000'000;
    if (!failed) break;
    ++failures;
    for (std::uint64_t i = 0; i < g->node_limit(); ++i) {
      ASSERT_EQ(g->state(NodeId{static_cast<std::uint32_t>(i)}), NodeState::kFree);
    }
    const auto again = g->add_nodes(nodes, 2);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(g->node_limit(), rows.size()) << "slots were lost";
    std::vector<NodeId> taken = *again;
    std::sort(taken.begin(), taken.end());
    for (std::uint32_t i = 0; i < rows.size(); ++i) ASSERT_EQ(taken[i], NodeId{i});
  }
  EXPECT_GE(failures, 3u);
}

// A flat graph stays one, as good as before, and the next vector begins the linking again.
TEST(OutOfMemory, WhereItRunsOutWhileLinkingBeginsAllIsAsBefore) {
  ASSERT_TRUE(allocator_is_ours());
  constexpr std::uint32_t kBound = 40;
  const Rows rows = clustered(kBound, 8, 3);
  for (const bool keep_vectors : {true, false}) {
    Config config = l2_config(8, 6, 40);
    config.smallest_graph = kBound;
    config.keep_vectors = keep_vectors;
    std::size_t failures = 0;
    for (std::int64_t limit = 0;; ++limit) {
      const auto g = make_graph(config);
      for (std::size_t i = 0; i + 1 < kBound; ++i) insert(*g, i, rows.row(i));
      ASSERT_TRUE(g->flat());
      bool failed = false;
      allocations_left = limit;
      try {
        add(*g, kBound, rows.row(0));
      } catch (const std::bad_alloc&) {
        failed = true;
      }
      allocations_left = 1'000'000'000;
      if (!failed) break;
      ++failures;
      EXPECT_EQ(g->live(), kBound - 1);
      EXPECT_TRUE(g->erase(NodeId{5}));
      EXPECT_TRUE(g->resurrect(NodeId{5}));
      insert(*g, kBound - 1, rows.row(kBound - 1));
      EXPECT_FALSE(g->flat());
      g->link_backlog(kBound);
      EXPECT_EQ(g->backlog(), 0u);
      EXPECT_SOUND(*g);
      if (!keep_vectors) continue;
      for (std::size_t i = 0; i < kBound; ++i) {
        EXPECT_EQ(search(*g, rows.row(i), 1, 20).found.at(0).label, i);
      }
    }
    EXPECT_GE(failures, 2u);
  }
}

}  // namespace
}  // namespace vicinal::graph::testing
