#include "graph/topology.h"

#include <atomic>
#include <bit>
#include <memory>

#include "engine/base/check.h"
#include "engine/base/process.h"

namespace vicinal::graph {
namespace {

std::size_t upper_bytes(Level level) { return level * sizeof(std::atomic<BlockHandle>); }
std::size_t upper_units(Level level) {
  return (upper_bytes(level) + LinkArena::kUnit - 1) / LinkArena::kUnit;
}

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

Topology::Topology(EpochDomain& epochs) : serial_(next_serial()), arena_(epochs) {}

Topology& Topology::none() {
  struct None {
    EpochDomain epochs;
    Topology topology{epochs};
  };
  static constinit std::atomic<None*> place{nullptr};
  return internal::first_made(place, [] { return std::make_unique<None>(); }).topology;
}

void Topology::grow(std::uint64_t limit) {
  // Walks read the handles of level 0 as often as the blocks.
  level0_.grow(limit, arena_.expect(limit));
  upper_.grow(limit);
  changed_.grow(limit / 64 + 1);
}

void begin_linking(Topology& t) {
  t.recently_linked().prepare();
  t.arena().prepare();
}

BlockHandle Topology::upper_slot(NodeId node, Level level) const {
  const BlockHandle table = upper_[node].load(std::memory_order_acquire);
  if (table == kNoBlock) return kNoBlock;
  const auto* handles = reinterpret_cast<const std::atomic<BlockHandle>*>(arena_.raw_units(table));
  return handles[level - 1].load(std::memory_order_acquire);
}

std::atomic<BlockHandle>& Topology::slot_ref(NodeId node, Level level) {
  if (level == 0) return level0_[node];
  const BlockHandle table = upper_[node].load(std::memory_order_acquire);
  VICINAL_CHECK(table != kNoBlock);
  return reinterpret_cast<std::atomic<BlockHandle>*>(arena_.raw_units(table))[level - 1];
}

void Topology::make_upper(NodeId node, Level level) {
  if (level == 0 || upper_[node].load(std::memory_order_relaxed) != kNoBlock) return;
  upper_[node].store(arena_.allocate_raw(upper_bytes(level)), std::memory_order_release);
}

void Topology::publish(NodeId node, Level level, BlockHandle handle) {
  std::atomic<BlockHandle>& present = slot_ref(node, level);
  const BlockHandle old = present.exchange(handle, std::memory_order_acq_rel);
  if (old != kNoBlock) arena_.retire(old, arena_.block(old)->units);
  mark_changed(node);
}

void Topology::restore(NodeId node, Level level, BlockHandle handle) {
  slot_ref(node, level).store(handle, std::memory_order_release);
}

void Topology::remove(NodeId node, Level level) {
  for (Level l = 0; l <= level; ++l) {
    if (l > 0 && upper_[node].load(std::memory_order_relaxed) == kNoBlock) break;
    const BlockHandle old = slot_ref(node, l).exchange(kNoBlock, std::memory_order_acq_rel);
    if (old == kNoBlock) continue;
    arena_.retire(old, arena_.block(old)->units);
  }
  const BlockHandle table = upper_[node].exchange(kNoBlock, std::memory_order_acq_rel);
  if (table != kNoBlock) arena_.retire(table, upper_units(level));
  mark_changed(node);
}

bool Topology::replace_entry_point(EntryPoint& expected, EntryPoint desired) {
  std::uint64_t bits = pack(expected);
  if (entry_.compare_exchange_strong(bits, pack(desired), std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
    return true;
  }
  expected = unpack(bits);
  return false;
}

std::vector<NodeId> Topology::take_changed(std::uint64_t limit) {
  std::vector<NodeId> nodes;
  for (std::uint64_t word = 0; word * 64 < limit; ++word) {
    auto& bits_of_word = changed_[static_cast<std::uint32_t>(word)];
    if (bits_of_word.load(std::memory_order_relaxed) == 0) continue;
    try {
      if (nodes.capacity() - nodes.size() < 64) nodes.reserve(2 * nodes.size() + 64);
    } catch (...) {
      for (const NodeId node : nodes) mark_changed(node);  // they are told another time
      throw;
    }
    std::uint64_t bits = bits_of_word.exchange(0, std::memory_order_acquire);
    for (; bits != 0; bits &= bits - 1) {
      const std::uint64_t id = word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
      if (id < limit) nodes.push_back(NodeId{static_cast<std::uint32_t>(id)});
    }
  }
  return nodes;
}

bool Topology::any_changed(std::uint64_t limit) const {
  for (std::uint64_t word = 0; word * 64 < limit; ++word) {
    if (changed_[static_cast<std::uint32_t>(word)].load(std::memory_order_acquire) != 0)
      return true;
  }
  return false;
}

}  // namespace vicinal::graph
