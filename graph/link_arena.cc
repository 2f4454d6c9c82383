#include "graph/link_arena.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/base/check.h"
#include "graph/thread_slot.h"

namespace vicinal::graph {

LinkArena::LinkArena(EpochDomain& epochs) : epochs_(epochs) {}

void LinkArena::prepare() {
  if (shards_ == nullptr) shards_ = std::make_unique<std::array<Shard, kShards>>();
}

LinkArena::Shard& LinkArena::lock_shard(std::array<Shard, kShards>& shards) {
  const std::uint32_t start = thread_slot(kShards);
  for (std::size_t i = 0; i < kShards; ++i) {
    Shard& shard = shards[(start + i) % kShards];
    if (shard.mutex.try_lock()) return shard;
  }
  shards[start].mutex.lock();
  return shards[start];
}

BlockHandle LinkArena::allocate_units(std::size_t units) {
  const LockedShard locked(*this);
  return take_units(locked.shard, units);
}

BlockHandle LinkArena::take_units(Shard& shard, std::size_t units) {
  VICINAL_CHECK(units >= 1 && units <= kMaxUnits);
  auto& list = shard.free[units];
  if (list.empty() && shard.untagged >= 32) reclaim(shard);
  if (list.empty() && shard.run_end - shard.run_next < units) {
    look_around(shard, units);
    if (list.empty()) begin_run(shard);
  }
  shard.units_in_use += static_cast<std::int64_t>(units);
  if (!list.empty()) {
    const BlockHandle handle = list.back();
    list.pop_back();
    return handle;
  }
  const auto handle = static_cast<BlockHandle>(shard.run_next);
  shard.run_next += units;
  return handle;
}

// What is left of the run before becomes a free block.
void LinkArena::begin_run(Shard& shard) {
  const std::uint64_t left = shard.run_end - shard.run_next;
  if (left > 0) shard.free[left].push_back(static_cast<BlockHandle>(shard.run_next));
  shard.run_next = shard.run_end;
  const internal::MutexLock lock(runs_mutex_);
  const std::uint64_t end = (next_unit_ / kRunUnits + 1) * kRunUnits;
  if (end > kMaxNodes) throw std::bad_alloc();  // 128 GiB of links
  units_.grow(end, growth_.load(std::memory_order_relaxed));
  shard.run_next = next_unit_;
  shard.run_end = end;
  next_unit_ = end;
}

// Before memory that was never used is taken. A shard may hold many retired blocks that waited for
// a long reader, or whose thread is gone. Of what another one has free, half is taken: where one
// thread only retires and another only allocates, memory would grow without end.
void LinkArena::look_around(Shard& shard, std::size_t units) {
  constexpr std::size_t kMany = 1024;
  auto& list = shard.free[units];
  if (shard.retired.size() >= kMany) reclaim(shard);
  if (!list.empty()) return;
  for (Shard& other : *shards_) {
    if (&other == &shard) continue;
    if (!other.mutex.try_lock()) continue;
    const internal::MutexLock lock(other.mutex, std::adopt_lock);
    auto& theirs = other.free[units];
    if (theirs.empty() && other.retired.size() >= kMany) reclaim(other);
    if (theirs.empty()) continue;
    const auto middle = theirs.begin() + static_cast<std::ptrdiff_t>(theirs.size() / 2);
    list.insert(list.end(), middle, theirs.end());
    theirs.erase(middle, theirs.end());
    return;
  }
}

BlockHandle LinkArena::allocate_block(NodeId owner, std::size_t count, bool distances) {
  const BlockHandle handle = allocate_units(units_for(count, distances));
  write_header(handle, owner, count, distances);
  return handle;
}

void LinkArena::allocate_blocks(std::span<BlockRequest> requests) {
  {
    const LockedShard locked(*this);
    for (BlockRequest& r : requests) {
      r.handle = take_units(locked.shard, units_for(r.count, false));
    }
  }
  // Outside the lock: the first write to a page is what costs.
  for (const BlockRequest& r : requests) write_header(r.handle, r.owner, r.count, false);
}

void LinkArena::write_header(BlockHandle handle, NodeId owner, std::size_t count, bool distances) {
  BlockHeader header;
  header.count = static_cast<std::uint16_t>(count);
  header.units = static_cast<std::uint8_t>(units_for(count, distances));
  header.flags = distances ? BlockHeader::kHasDistances : 0;
  header.owner = owner;
  *block(handle) = header;
}

BlockHandle LinkArena::allocate_raw(std::size_t bytes) {
  const BlockHandle handle = allocate_units((bytes + kUnit - 1) / kUnit);
  std::memset(raw_units(handle), 0, (bytes + kUnit - 1) / kUnit * kUnit);
  return handle;
}

void LinkArena::retire(BlockHandle handle, std::size_t units) noexcept {
  const LockedShard locked(*this);
  try {
    locked.shard.retired.push_back({handle, static_cast<std::uint32_t>(units), 0});
    // Looking at every participant costs more than a block: once per 128 is plenty.
    if (++locked.shard.untagged >= 128) reclaim(locked.shard);
  } catch (const std::bad_alloc&) {
    // The block is lost, or what may be reused stays where it is until the next time.
  }
}

// All that was retired since the last time gets the tag of this moment: later than its own would
// be, which only makes it wait longer.
void LinkArena::reclaim(Shard& shard) {
  const std::uint64_t tag = epochs_.retire_tag();
  for (; shard.untagged > 0; --shard.untagged) {
    shard.retired[shard.retired.size() - shard.untagged].tag = tag;
  }
  const std::uint64_t safe = epochs_.advance();
  for (; !shard.retired.empty() && shard.retired.front().tag < safe; shard.retired.pop_front()) {
    const Retired& r = shard.retired.front();
    shard.free[r.units].push_back(r.handle);
    shard.units_in_use -= static_cast<std::int64_t>(r.units);
  }
}

std::uint64_t LinkArena::bytes_in_use() const {
  if (shards_ == nullptr) return 0;
  std::int64_t units = 0;
  for (const Shard& shard : *shards_) {
    const internal::MutexLock lock(shard.mutex);
    units += shard.units_in_use;
  }
  // A block that changes shards between two looks may be missed or counted twice.
  return static_cast<std::uint64_t>(std::max<std::int64_t>(units, 0)) * kUnit;
}

std::uint64_t LinkArena::bytes_held() const {
  if (shards_ == nullptr) return 0;
  std::uint64_t bytes = sizeof(*shards_) + units_.bytes_held();
  for (const Shard& shard : *shards_) {
    const internal::MutexLock lock(shard.mutex);
    for (const auto& list : shard.free) bytes += list.capacity() * sizeof(BlockHandle);
    bytes += shard.retired.size() * sizeof(Retired);
  }
  return bytes;
}

}  // namespace vicinal::graph
