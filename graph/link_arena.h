// Link blocks and where they live.
//
// What: a block is one node's links at one level, immutable once published (G1): a 16-byte header,
// the ids, then, for writers only, the distance of each link. Blocks are cut from 64-byte units,
// named by the 32-bit index of their first unit (0 is "none"), and go back to a free list of their
// size an epoch after they were replaced. Room for neighbor codes: `flags` says which arrays follow
// the ids; another one goes behind the distances, and 32-bit unit numbers reach 128 GiB.
// Ownership: the arena owns the units.
// Threads: allocate/retire from any thread; reading a block needs an epoch entered before its
// handle was loaded. Locks: one shard's; holding it, another shard's if nobody has it, then that of
// runs, of growth or of the epochs. All are held for a moment.
//
// Why shards: a list is written every microsecond or two. Two threads of a build that shared one
// mutex met there often enough to be put to sleep some 4,000 times in 5 s, and waking up takes a
// virtual machine longer than writing the list.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/allocator.h"
#include "engine/base/mutex.h"
#include "graph/arena.h"
#include "graph/epoch.h"
#include "graph/types.h"

namespace vicinal::graph {

/// Index of a block's first unit; 0 is none.
using BlockHandle = std::uint32_t;
inline constexpr BlockHandle kNoBlock = 0;

inline constexpr std::size_t kMaxLinks = 128;  ///< 2 * the largest M

struct BlockHeader {
  static constexpr std::uint8_t kHasDistances = 1;

  std::uint16_t count = 0;
  std::uint16_t child_count = 0;  ///< the first ids are children (G9)
  std::uint8_t units = 0;
  std::uint8_t flags = 0;
  std::uint16_t settled_count = 0;  ///< as many ids behind the children are settled (LinkList)
  NodeId parent = kNoNode;
  NodeId owner = kNoNode;

  std::span<const NodeId> ids() const { return {reinterpret_cast<const NodeId*>(this + 1), count}; }
  std::span<const NodeId> children() const { return ids().first(child_count); }
  bool has_distances() const { return (flags & kHasDistances) != 0; }
  /// Distance of each link from the owner; empty when not kept.
  std::span<const float> distances() const {
    if (!has_distances()) return {};
    return {reinterpret_cast<const float*>(ids().data() + count), count};
  }
  NodeId* mutable_ids() { return reinterpret_cast<NodeId*>(this + 1); }
  float* mutable_distances() { return reinterpret_cast<float*>(mutable_ids() + count); }
};
static_assert(sizeof(BlockHeader) == 16);

class LinkArena {
 public:
  static constexpr std::size_t kUnit = 64;

  explicit LinkArena(EpochDomain& epochs);
  /// Before the first block: makes the shards. Throws std::bad_alloc; no effect the second time. Not
  /// beside any other call.
  void prepare();

  /// That there will be links of so many nodes; how the arena grows from then on: when they are
  /// worth it, in huge pages from the first block on.
  Growth expect(std::uint64_t nodes) {
    constexpr std::uint64_t kUsualUnits = 3;  // of a node, at M 16
    const std::uint64_t bytes = nodes * kUsualUnits * kUnit;
    if (bytes >= kWorthHugePage) growth_.store(Growth::kHugeSegments, std::memory_order_relaxed);
    return growth_.load(std::memory_order_relaxed);
  }

  /// A block for `count` links with (or without) distances; header filled in but for the links.
  /// Throws std::bad_alloc.
  BlockHandle allocate_block(NodeId owner, std::size_t count, bool distances);
  /// What allocate_blocks() is asked for, and gives.
  struct BlockRequest {
    NodeId owner = kNoNode;
    std::uint32_t count = 0;
    BlockHandle handle = kNoBlock;  ///< the answer
  };
  /// allocate_block() without distances for many, under one lock; headers are filled in likewise.
  void allocate_blocks(std::span<BlockRequest> requests);
  /// `bytes` of zeroed units that are not a block (tables of upper levels).
  BlockHandle allocate_raw(std::size_t bytes);
  /// Reusable once no reader that could hold it is left. Where memory runs out it is lost until the
  /// arena ends: who retires has published what replaces it, and cannot go back.
  void retire(BlockHandle handle, std::size_t units) noexcept;

  BlockHeader* block(BlockHandle handle) {
    return reinterpret_cast<BlockHeader*>(units_.row(handle));
  }
  const BlockHeader* block(BlockHandle handle) const {
    return reinterpret_cast<const BlockHeader*>(units_.row(handle));
  }
  std::byte* raw_units(BlockHandle handle) { return units_.row(handle); }
  const std::byte* raw_units(BlockHandle handle) const { return units_.row(handle); }

  /// Bytes in blocks that are in use or waiting for their readers.
  std::uint64_t bytes_in_use() const;
  /// Memory that the process has for it.
  std::uint64_t bytes_held() const;

 private:
  static constexpr std::size_t kMaxUnits =
      (sizeof(BlockHeader) + kMaxLinks * (sizeof(NodeId) + sizeof(float)) + kUnit - 1) / kUnit;
  static constexpr std::size_t kShards = 16;
  /// Units that a shard takes at once; a power of two, so that no run straddles segments.
  static constexpr std::uint64_t kRunUnits = 256;

  struct Retired {
    BlockHandle handle;
    std::uint32_t units;
    std::uint64_t tag;  ///< not to be reused while a reader is left that entered then or before
  };
  /// Where a thread takes blocks from and puts them; any block may be put into any shard.
  struct alignas(64) Shard {
    mutable internal::Mutex mutex;
    /// By units.
    std::array<internal::Vector<BlockHandle>, kMaxUnits + 1> free VICINAL_GUARDED_BY(mutex);
    /// Oldest first.
    std::deque<Retired, internal::HookAllocator<Retired>> retired VICINAL_GUARDED_BY(mutex);
    /// How many of the newest have no tag yet.
    std::size_t untagged VICINAL_GUARDED_BY(mutex) = 0;
    /// Units from here to run_end were never used.
    std::uint64_t run_next VICINAL_GUARDED_BY(mutex) = 0;
    std::uint64_t run_end VICINAL_GUARDED_BY(mutex) = 0;
    /// Taken from less given to this shard.
    std::int64_t units_in_use VICINAL_GUARDED_BY(mutex) = 0;
  };
  /// This thread's shard, or another one if somebody is there, locked for the length of a scope.
  class VICINAL_SCOPED_CAPABILITY LockedShard {
   public:
    explicit LockedShard(LinkArena& arena) VICINAL_ACQUIRE(shard.mutex)
        : shard(lock_shard(*arena.shards_)) {}
    ~LockedShard() VICINAL_RELEASE() { shard.mutex.unlock(); }
    LockedShard(const LockedShard&) = delete;
    LockedShard& operator=(const LockedShard&) = delete;

    Shard& shard;
  };

  static std::size_t units_for(std::size_t count, bool distances) {
    const std::size_t per_link = sizeof(NodeId) + (distances ? sizeof(float) : 0);
    return (sizeof(BlockHeader) + count * per_link + kUnit - 1) / kUnit;
  }
  // Which one it returns locked is found out by trying; LockedShard says that it is.
  static Shard& lock_shard(std::array<Shard, kShards>& shards) VICINAL_NO_THREAD_SAFETY_ANALYSIS;
  BlockHandle allocate_units(std::size_t units);
  BlockHandle take_units(Shard& shard, std::size_t units) VICINAL_REQUIRES(shard.mutex);
  void begin_run(Shard& shard) VICINAL_REQUIRES(shard.mutex);
  void look_around(Shard& shard, std::size_t units) VICINAL_REQUIRES(shard.mutex);
  void write_header(BlockHandle handle, NodeId owner, std::size_t count, bool distances);
  void reclaim(Shard& shard) VICINAL_REQUIRES(shard.mutex);

  EpochDomain& epochs_;
  SegmentTable units_{kUnit};
  std::atomic<Growth> growth_{Growth::kSegments};
  std::unique_ptr<std::array<Shard, kShards>> shards_;  ///< null until prepare()

  internal::Mutex runs_mutex_;  ///< after a shard's
  std::uint64_t next_unit_ VICINAL_GUARDED_BY(runs_mutex_) = 1;
};

}  // namespace vicinal::graph
