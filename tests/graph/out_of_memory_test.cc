// Memory that runs out while nodes are added: nothing is taken, nothing is lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

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

TEST(OutOfMemory, AddNodesTakesAllSlotsOrNone) {
  ASSERT_TRUE(set_allocator({allocate, deallocate}));
  const Rows rows = clustered(10000, 4, 5);
  std::vector<Graph::NewNode> nodes;
  for (std::size_t i = 0; i < rows.size(); ++i) nodes.push_back({i, rows.row(i)});
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

}  // namespace
}  // namespace vicinal::graph::testing
