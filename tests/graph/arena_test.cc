// Memory that never moves (G7) and link blocks that are reused after their grace only (G1).
#include "graph/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <set>
#include <thread>
#include <vector>

#include "graph/link_arena.h"
#include "tests/graph/support.h"

namespace vicinal::graph::testing {
namespace {

TEST(SegmentTable, G7RowsStayWhereTheyAreWhileTheTableGrows) {
  for (const std::size_t stride : {std::size_t{64}, std::size_t{1216}, std::size_t{1} << 20}) {
    SegmentTable table(stride);
    table.grow(1);
    std::byte* const first = table.row(0);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % 64, 0u);
    first[0] = std::byte{42};
    const std::uint32_t rows = table.row_table().mask + 1;
    for (std::uint32_t i = 1; i <= 3; ++i) {
      table.grow(std::uint64_t{rows} * i + 1);
      std::byte* const row = table.row(rows * i);
      EXPECT_EQ(row[0], std::byte{0});
      EXPECT_EQ(row[stride - 1], std::byte{0});
      row[stride - 1] = std::byte{1};
    }
    EXPECT_EQ(table.row(0), first);
    EXPECT_EQ(first[0], std::byte{42});
    table.grow(1);  // never shrinks
    EXPECT_EQ(table.row(rows * 3)[stride - 1], std::byte{1});
    EXPECT_EQ(table.row_table().row(rows), table.row(rows));
  }
}

TEST(SegmentedArray, GrowsFromManyThreadsAtOnce) {
  SegmentedArray<std::uint64_t> array;
  std::vector<std::jthread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&array, t] {
      for (std::uint32_t i = t; i < 4000000; i += 4 * 9973) {
        array.grow(i + 1);
        array[i] = i;
      }
    });
  }
  threads.clear();
  for (std::uint32_t t = 0; t < 4; ++t) {
    for (std::uint32_t i = t; i < 4000000; i += 4 * 9973) ASSERT_EQ(array[i], i);
  }
}

TEST(LinkArena, BlocksDoNotOverlapAndDoNotStraddle) {
  EpochDomain epochs;
  LinkArena arena(epochs);
  std::vector<std::pair<std::byte*, std::byte*>> used;
  for (std::size_t i = 0; i < 3000; ++i) {
    const std::size_t count = i * 37 % (kMaxLinks + 1);
    const BlockHandle handle = arena.allocate_block(NodeId{7}, count, i % 2 == 0);
    ASSERT_NE(handle, kNoBlock);
    BlockHeader* block = arena.block(handle);
    ASSERT_EQ(block->count, count);
    ASSERT_EQ(block->owner, NodeId{7});
    ASSERT_EQ(block->distances().size(), i % 2 == 0 ? count : 0);
    auto* begin = reinterpret_cast<std::byte*>(block);
    used.emplace_back(begin, begin + block->units * LinkArena::kUnit);
    const auto* end_of_ids = reinterpret_cast<std::byte*>(block->mutable_ids() + count);
    ASSERT_LE(end_of_ids, used.back().second);
  }
  std::sort(used.begin(), used.end());
  for (std::size_t i = 1; i < used.size(); ++i) ASSERT_LE(used[i - 1].second, used[i].first);
}

TEST(LinkArena, G1RetiredBlocksAreReusedAfterTheirReadersOnly) {
  EpochDomain epochs;
  LinkArena arena(epochs);
  EpochDomain::Participant* reader = epochs.add_participant();
  epochs.enter(*reader);
  std::set<BlockHandle> retired;
  for (int i = 0; i < 500; ++i) {
    const BlockHandle handle = arena.allocate_block(NodeId{1}, 8, true);
    ASSERT_FALSE(retired.contains(handle)) << "reused under a reader";
    retired.insert(handle);
    arena.retire(handle, arena.block(handle)->units);
  }
  EpochDomain::leave(*reader);
  const std::uint64_t before = arena.bytes_in_use();
  bool reused = false;
  for (int i = 0; i < 1000 && !reused; ++i) {
    const BlockHandle handle = arena.allocate_block(NodeId{1}, 8, true);
    reused = retired.contains(handle);
    arena.retire(handle, arena.block(handle)->units);
  }
  EXPECT_TRUE(reused);
  EXPECT_LT(arena.bytes_in_use(), before);
}

// One thread only takes blocks, another only retires them: each keeps to a shard of its own.
TEST(LinkArena, BlocksFindTheWayBackToTheThreadThatTakesThem) {
  constexpr std::size_t kBlocks = 5000;
  EpochDomain epochs;
  LinkArena arena(epochs);
  std::vector<BlockHandle> blocks(kBlocks);
  BlockHandle highest = 0;
  std::barrier turn(2);
  std::jthread retiring([&] {
    for (int round = 0; round < 40; ++round) {
      turn.arrive_and_wait();
      for (const BlockHandle handle : blocks) arena.retire(handle, arena.block(handle)->units);
      turn.arrive_and_wait();
    }
  });
  for (int round = 0; round < 40; ++round) {
    for (std::size_t i = 0; i < kBlocks; ++i) {
      blocks[i] = arena.allocate_block(NodeId{static_cast<std::uint32_t>(i)}, 8, true);
      highest = std::max(highest, blocks[i]);
    }
    ASSERT_EQ(std::set<BlockHandle>(blocks.begin(), blocks.end()).size(), kBlocks);
    turn.arrive_and_wait();
    turn.arrive_and_wait();
  }
  // Two units a block. Fresh ones each time would come to 40 times this.
  EXPECT_LT(highest, 2 * kBlocks * 4);
}

TEST(LinkArena, BytesInUseAreRightWhateverThreadGaveBack) {
  EpochDomain epochs;
  LinkArena arena(epochs);
  std::vector<std::jthread> threads;
  std::vector<std::vector<BlockHandle>> kept(4);
  for (std::size_t t = 0; t < kept.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 20000; ++i) {
        const BlockHandle handle = arena.allocate_block(NodeId{1}, i % 32, true);
        if (i % 100 == 0) {
          kept[t].push_back(handle);
        } else {
          arena.discard(handle, arena.block(handle)->units);
        }
      }
    });
  }
  threads.clear();
  std::uint64_t units = 0;
  std::set<BlockHandle> distinct;
  for (const auto& handles : kept) {
    for (const BlockHandle handle : handles) {
      units += arena.block(handle)->units;
      EXPECT_TRUE(distinct.insert(handle).second);
    }
  }
  EXPECT_EQ(arena.bytes_in_use(), units * LinkArena::kUnit);
}

TEST(LinkArena, DiscardedBlocksAreReusedAtOnce) {
  EpochDomain epochs;
  LinkArena arena(epochs);
  const BlockHandle first = arena.allocate_block(NodeId{1}, 8, true);
  const std::uint64_t bytes = arena.bytes_in_use();
  arena.discard(first, arena.block(first)->units);
  EXPECT_LT(arena.bytes_in_use(), bytes);
  EXPECT_EQ(arena.allocate_block(NodeId{2}, 8, true), first);
  const BlockHandle raw_units = arena.allocate_raw(100);
  for (std::size_t i = 0; i < 128; ++i) EXPECT_EQ(arena.raw_units(raw_units)[i], std::byte{0});
}

}  // namespace
}  // namespace vicinal::graph::testing
