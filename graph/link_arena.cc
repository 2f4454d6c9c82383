#include "graph/link_arena.h"

#include <cstring>

#include "engine/check.h"

namespace vicinal::graph {

LinkArena::LinkArena(EpochDomain& epochs) : epochs_(epochs) {}

BlockHandle LinkArena::take_units(std::size_t units) {
  const std::lock_guard lock(mutex_);
  return take_units_locked(units);
}

BlockHandle LinkArena::take_units_locked(std::size_t units) {
  VICINAL_CHECK(units >= 1 && units <= kMaxUnits);
  auto& list = free_[units];
  if (list.empty() && retires_since_reclaim_ >= 32) reclaim_locked();
  units_in_use_ += units;
  if (!list.empty()) {
    const BlockHandle handle = list.back();
    list.pop_back();
    return handle;
  }
  // A block does not straddle segments: what is left of one becomes a free block.
  const auto rows_per_segment = std::uint64_t{units_.row_table().mask} + 1;
  const std::uint64_t left = rows_per_segment - next_unit_ % rows_per_segment;
  if (left < units) {
    free_[left].push_back(static_cast<BlockHandle>(next_unit_));
    next_unit_ += left;
  }
  units_.grow(next_unit_ + units);
  const auto handle = static_cast<BlockHandle>(next_unit_);
  next_unit_ += units;
  return handle;
}

BlockHandle LinkArena::allocate_block(NodeId owner, std::size_t count, bool distances) {
  const BlockHandle handle = take_units(units_for(count, distances));
  write_header(handle, owner, count, distances);
  return handle;
}

void LinkArena::allocate_blocks(std::span<BlockRequest> requests) {
  {
    const std::lock_guard lock(mutex_);
    for (BlockRequest& r : requests) r.handle = take_units_locked(units_for(r.count, false));
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
  const BlockHandle handle = take_units((bytes + kUnit - 1) / kUnit);
  std::memset(raw_units(handle), 0, (bytes + kUnit - 1) / kUnit * kUnit);
  return handle;
}

void LinkArena::retire(BlockHandle handle, std::size_t units) {
  const std::uint64_t tag = epochs_.retire_tag();
  const std::lock_guard lock(mutex_);
  retired_.push_back({handle, static_cast<std::uint32_t>(units), tag});
  // Looking at every participant costs more than a block: once per 128 is plenty.
  if (++retires_since_reclaim_ >= 128) reclaim_locked();
}

void LinkArena::discard(BlockHandle handle, std::size_t units) {
  const std::lock_guard lock(mutex_);
  free_[units].push_back(handle);
  units_in_use_ -= units;
}

void LinkArena::reclaim_locked() {
  retires_since_reclaim_ = 0;
  const std::uint64_t safe = epochs_.advance();
  while (!retired_.empty() && retired_.front().tag < safe) {
    const Retired& r = retired_.front();
    free_[r.units].push_back(r.handle);
    units_in_use_ -= r.units;
    retired_.pop_front();
  }
}

std::uint64_t LinkArena::bytes_in_use() const {
  const std::lock_guard lock(mutex_);
  return units_in_use_ * kUnit;
}

}  // namespace vicinal::graph
