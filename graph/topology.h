// Topology: one set of links over the nodes, with its entry point and the note of what changed.
//
// What: for every node the handle of its level-0 block and, for the few that have them, of a table
// of handles for the upper levels. A rebuild makes a second Topology beside the first and swaps
// them.
// Ownership: owns its blocks.
// Threads: readers (inside an epoch) any time; publishing a node's block needs that node's stripe,
// except before the node is reachable. Invariants: G1, G6, G7 of graph.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "graph/arena.h"
#include "graph/link_arena.h"
#include "graph/recently_linked.h"
#include "graph/types.h"

namespace vicinal::graph {

class Topology {
 public:
  explicit Topology(EpochDomain& epochs);
  /// That of every flat graph (flat.h): without a link, and never written to.
  static Topology& none();

  /// Before the first node is linked, and for more nodes. While it never grew nothing is linked.
  /// Threads: one grows at a time.
  void grow(std::uint64_t limit);

  /// The node's block at `level`, or null when it has none. `level` must not exceed the node's.
  const BlockHeader* block(NodeId node, Level level) const {
    const BlockHandle handle = slot(node, level);
    return handle == kNoBlock ? nullptr : arena_.block(handle);
  }
  bool linked(NodeId node) const {
    return level0_[node].load(std::memory_order_acquire) != kNoBlock;
  }

  /// No other topology of this process has it.
  std::uint64_t serial() const { return serial_; }

  RecentlyLinked& recently_linked() { return recently_linked_; }

  void prefetch_handle(NodeId node) const { __builtin_prefetch(&level0_[node]); }
  /// Prefetches the first lines of the node's level-0 block: header and, mostly, all ids.
  void prefetch_block(NodeId node) const {
    // Acquire: finding the units reads the arena's directory, which may have grown for them.
    const BlockHandle handle = level0_[node].load(std::memory_order_acquire);
    const std::byte* units = arena_.raw_units(handle);
    __builtin_prefetch(units);
    __builtin_prefetch(units + 64);
    __builtin_prefetch(units + 128);
  }

  /// Memory that the process has for what it keeps by node.
  std::uint64_t bytes_of_nodes() const {
    return level0_.bytes_held() + upper_.bytes_held() + changed_.bytes_held();
  }

  LinkArena& arena() { return arena_; }
  const LinkArena& arena() const { return arena_; }

  /// Gives a node of level > 0 its table of upper handles. Once per life of a slot, before
  /// publish().
  void make_upper(NodeId node, Level level);
  /// Publishes `handle` as the node's block at `level` (release), retires the one it replaces,
  /// notes the change.
  void publish(NodeId node, Level level, BlockHandle handle);
  /// publish() of what was stored before: not a change.
  void restore(NodeId node, Level level, BlockHandle handle);
  /// Takes all blocks of a node that nothing links to any more.
  void remove(NodeId node, Level level);

  EntryPoint entry_point() const { return unpack(entry_.load(std::memory_order_acquire)); }
  /// False, with `expected` renewed, when the entry point is not `expected` any more.
  bool replace_entry_point(EntryPoint& expected, EntryPoint desired);

  void mark_changed(NodeId node) {
    changed_[raw(node) / 64].fetch_or(std::uint64_t{1} << (raw(node) % 64),
                                      std::memory_order_release);
  }
  /// Ids below `limit` marked since the last call, ascending.
  std::vector<NodeId> take_changed(std::uint64_t limit);
  /// Whether an id below `limit` was marked since then.
  bool any_changed(std::uint64_t limit) const;

 private:
  static std::uint64_t pack(EntryPoint e) { return (std::uint64_t{e.level} << 32) | raw(e.node); }
  static EntryPoint unpack(std::uint64_t v) {
    return {NodeId{static_cast<std::uint32_t>(v)}, static_cast<Level>(v >> 32)};
  }
  BlockHandle slot(NodeId node, Level level) const {
    return level == 0 ? level0_[node].load(std::memory_order_acquire) : upper_slot(node, level);
  }
  BlockHandle upper_slot(NodeId node, Level level) const;
  std::atomic<BlockHandle>& slot_ref(NodeId node, Level level);

  const std::uint64_t serial_;
  LinkArena arena_;
  SegmentedArray<std::atomic<BlockHandle>> level0_;
  SegmentedArray<std::atomic<BlockHandle>> upper_;  ///< raw units: a handle per level from 1
  SegmentedArray<std::atomic<std::uint64_t>> changed_;
  std::atomic<std::uint64_t> entry_{raw(kNoNode)};
  RecentlyLinked recently_linked_;
};

/// Before the first link: makes what only links need. Throws std::bad_alloc; may be called again.
/// Not beside who links.
void begin_linking(Topology& t);

}  // namespace vicinal::graph
