// Memory that never moves (G7) and link blocks that are reused after their grace only (G1).
#include "graph/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "graph/link_arena.h"
#include "graph/pieces.h"
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

TEST(SegmentedArray, ReadsAsZerosBeforeItGrows) {
  const SegmentedArray<std::atomic<std::uint64_t>> array;
  EXPECT_EQ(array[NodeId{0}].load(), 0u);
  EXPECT_EQ(array[kNoNode].load(), 0u);
  EXPECT_EQ(array.bytes_held(), 0u);
}

using ArenaDeathTest = ::testing::Test;
TEST(ArenaDeathTest, WritingToWhatNeverGrewDamagesNothing) {
  SegmentedArray<std::uint64_t> array;
  EXPECT_DEATH(array[NodeId{3}] = 1, "");
}

/// An array that grows from one row to several segments, through pieces.
class GrowingArray {
 public:
  void grow(std::uint32_t limit) {
    if (limit <= kFew) {
      const TableRows table = array_.table();
      pieces_.grow(limit, {&table, 1});
    } else {
      array_.grow(limit, Growth::kSegments, pieces_.rows());
    }
  }
  std::atomic<std::uint64_t>& operator[](std::uint32_t i) { return array_[i]; }
  std::uint64_t bytes() const { return pieces_.bytes(); }
  static constexpr std::uint32_t kFew = 300;

 private:
  Pieces pieces_{2, Pieces::Lines::kNever};  // ends after the table
  SegmentedArray<std::atomic<std::uint64_t>> array_;
};

TEST(SegmentedArray, G7ReadersGoOnWhileOneThreadGrowsIt) {
  constexpr std::uint32_t kRows = 4000000;
  GrowingArray array;
  std::atomic<std::uint32_t> limit{0};
  std::atomic<std::uint64_t> wrong{0};
  std::vector<std::jthread> readers;
  for (std::uint32_t t = 0; t < 3; ++t) {
    readers.emplace_back([&, t] {
      for (std::uint32_t i = t; limit.load() < kRows; ++i) {
        const std::uint32_t end = limit.load();
        if (end == 0) continue;
        if (array[i % end].load() != i % end) ++wrong;
        if (array[end - 1].load() != end - 1) ++wrong;
      }
    });
  }
  for (std::uint32_t end = 0; end < kRows;) {
    const std::uint32_t more = end < 2 * GrowingArray::kFew ? 1 : 99731;
    const std::uint32_t first = std::exchange(end, std::min(end + more, kRows));
    array.grow(end);
    for (std::uint32_t i = first; i < end; ++i) {
      if (array[i].exchange(i) != 0) ++wrong;  // new rows are zeros
    }
    limit.store(end);
  }
  readers.clear();
  EXPECT_EQ(wrong.load(), 0u);
}

TEST(Pieces, TablesThatGrowTogetherKeepTheirRowsApart) {
  Pieces pieces(1, Pieces::Lines::kNever);  // ends after the tables
  SegmentTable rows(64);
  SegmentedArray<std::uint64_t> labels;
  SegmentedArray<std::uint8_t> levels;
  const std::array<TableRows, 3> tables = {rows.table(), labels.table(), levels.table()};
  for (std::uint32_t i = 0; i < 200; ++i) {
    pieces.grow(i + 1, tables);
    ASSERT_GE(pieces.rows(), i + 1);
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(rows.row(i)) % 8, 0u);
    std::memset(rows.row(i), static_cast<int>(i), 64);
    labels[i] = 1000 + i;
    levels[i] = static_cast<std::uint8_t>(i);
    const std::size_t beside = pieces.bytes() - pieces.rows() * (64 + 8 + 1);
    ASSERT_LE(beside, 256 + pieces.rows() * 2 * 3 * sizeof(void*)) << "directories, and older ones";
  }
  for (std::uint32_t i = 0; i < 200; ++i) {
    ASSERT_EQ(rows.row(i)[0], std::byte(i));
    ASSERT_EQ(rows.row(i)[63], std::byte(i));
    ASSERT_EQ(labels[i], 1000u + i);
    ASSERT_EQ(levels[i], i);
  }
}

TEST(Pieces, RowsOfVectorsBeginOnLines) {
  Pieces pieces(0, Pieces::Lines::kButTheFirst);
  SegmentTable rows(192);
  const TableRows table = rows.table();
  for (std::uint32_t i = 0; i < 50; ++i) {
    pieces.grow(i + 1, {&table, 1});
    if (i > 0) {
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(rows.row(i)) % 64, 0u);
    }
  }
  EXPECT_LE(pieces.rows(), 50u + 1024 / 192) << "hardly any ahead";
  // In segments the rows are the same, and those of before are there until the end.
  std::byte* const before = rows.row(7);
  before[5] = std::byte{9};
  rows.grow(100, Growth::kSegments, pieces.rows());
  EXPECT_NE(rows.row(7), before);
  EXPECT_EQ(rows.row(7)[5], std::byte{9});
  EXPECT_EQ(before[5], std::byte{9});
  pieces.grow(60, {&table, 1});  // as where memory ran out between two tables
  EXPECT_EQ(rows.row(7)[5], std::byte{9});
  pieces.end();
  EXPECT_EQ(pieces.rows(), 0u);
  EXPECT_EQ(rows.row(7)[5], std::byte{9});
}

TEST(LinkArena, BlocksDoNotOverlapAndDoNotStraddle) {
  EpochDomain epochs;
  LinkArena arena(epochs);
  arena.prepare();
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
  arena.prepare();
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

// Threads that retire blocks keep them in shards of their own, which those that take blocks must
// look into. Several, since two threads may share a shard.
class ShardsOfOthers : public ::testing::Test {
 protected:
  ShardsOfOthers() { arena_.prepare(); }

  /// Takes `count` blocks in this thread.
  std::vector<BlockHandle> take(std::size_t count) {
    std::vector<BlockHandle> blocks(count);
    for (BlockHandle& block : blocks) block = arena_.allocate_block(NodeId{1}, 8, true);
    return blocks;
  }
  /// Retires them in four threads, one after the other.
  void retire_elsewhere(const std::vector<BlockHandle>& blocks) {
    constexpr std::size_t kThreads = 4;
    std::barrier all_began(kThreads);  // or a later one could have an earlier one's identity
    std::mutex turn;
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        all_began.arrive_and_wait();
        const std::lock_guard lock(turn);
        for (std::size_t i = t; i < blocks.size(); i += kThreads) {
          arena_.retire(blocks[i], arena_.block(blocks[i])->units);
        }
      });
    }
  }
  static BlockHandle highest(const std::vector<BlockHandle>& blocks) {
    return *std::max_element(blocks.begin(), blocks.end());
  }

  EpochDomain epochs_;
  LinkArena arena_{epochs_};
};

TEST_F(ShardsOfOthers, BlocksComeBackToTheThreadThatTakesThem) {
  constexpr std::size_t kBlocks = 5000;
  BlockHandle top = 0;
  for (int round = 0; round < 40; ++round) {
    const std::vector<BlockHandle> blocks = take(kBlocks);
    EXPECT_EQ(std::set<BlockHandle>(blocks.begin(), blocks.end()).size(), kBlocks);
    top = std::max(top, highest(blocks));
    retire_elsewhere(blocks);
  }
  // Two units a block. Fresh ones each time would come to 40 times this.
  EXPECT_LT(top, 2 * kBlocks * 4);
  EXPECT_LE(arena_.bytes_in_use(), kBlocks * 2 * LinkArena::kUnit);
}

TEST_F(ShardsOfOthers, G1NoneIsReusedUnderAReaderAndAllAreAfterIt) {
  constexpr std::size_t kBlocks = 20000;
  EpochDomain::Participant* reader = epochs_.add_participant();
  epochs_.enter(*reader);
  const std::vector<BlockHandle> first = take(kBlocks);
  retire_elsewhere(first);
  const std::vector<BlockHandle> second = take(kBlocks);
  std::set<BlockHandle> seen(first.begin(), first.end());
  for (const BlockHandle block : second) EXPECT_FALSE(seen.contains(block)) << block;
  EXPECT_EQ(arena_.bytes_in_use(), 2 * kBlocks * 2 * LinkArena::kUnit);
  EpochDomain::leave(*reader);
  // The threads that retired the first are gone: nobody else would ever ask for those.
  const std::vector<BlockHandle> third = take(kBlocks);
  EXPECT_LT(highest(third), highest(second) + 2 * kBlocks / 4);
}

TEST(LinkArena, BytesInUseAreRightWhateverThreadRetires) {
  constexpr std::size_t kThreads = 4;
  EpochDomain epochs;
  LinkArena arena(epochs);
  arena.prepare();
  std::vector<std::vector<BlockHandle>> blocks(kThreads);
  std::barrier all_taken(kThreads);
  std::mutex turn;  // each keeps to its shard, or more shards than threads could hold some back
  std::vector<std::jthread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 5000; ++i) {
        blocks[t].push_back(arena.allocate_block(NodeId{1}, i % 32, true));
      }
      all_taken.arrive_and_wait();
      const std::lock_guard lock(turn);
      std::vector<BlockHandle>& others = blocks[(t + 1) % kThreads];
      while (others.size() > 100) {
        arena.retire(others.back(), arena.block(others.back())->units);
        others.pop_back();
      }
    });
  }
  threads.clear();
  std::uint64_t units = 0;
  std::set<BlockHandle> distinct;
  for (const auto& kept : blocks) {
    for (const BlockHandle handle : kept) {
      units += arena.block(handle)->units;
      EXPECT_TRUE(distinct.insert(handle).second);
    }
  }
  const std::uint64_t waiting = kThreads * 128 * 5;  // at most 128 a shard, of up to 5 units
  EXPECT_GE(arena.bytes_in_use(), units * LinkArena::kUnit);
  EXPECT_LE(arena.bytes_in_use(), (units + waiting) * LinkArena::kUnit);
}

TEST(LinkArena, RawUnitsAreZero) {
  EpochDomain epochs;
  LinkArena arena(epochs);
  arena.prepare();
  const BlockHandle raw_units = arena.allocate_raw(100);
  for (std::size_t i = 0; i < 128; ++i) EXPECT_EQ(arena.raw_units(raw_units)[i], std::byte{0});
}

}  // namespace
}  // namespace vicinal::graph::testing
