// Restoring: nodes, then their links, come back from a checkpoint.
#include <algorithm>
#include <array>
#include <string>

#include "engine/base/allocator.h"
#include "engine/base/mutex.h"
#include "graph/flat.h"
#include "graph/graph.h"
#include "graph/graph_state.h"
#include "graph/trees.h"

namespace vicinal::graph {
namespace {

/// Finds repeats among the ids of one list: a bit per hash says "perhaps seen", then the ids before
/// are compared. bench: sorting each list was a tenth of opening.
class Repeats {
 public:
  void clear() { bits_.fill(0); }
  bool seen(std::span<const NodeId> before, NodeId id) {
    const std::uint32_t hash = raw(id) * 2654435761u >> (32 - kBits);
    std::uint64_t& word = bits_[hash / 64];
    const std::uint64_t bit = std::uint64_t{1} << (hash % 64);
    const bool perhaps = (word & bit) != 0;
    word |= bit;
    return perhaps && std::find(before.begin(), before.end(), id) != before.end();
  }

 private:
  static constexpr unsigned kBits = 11;
  std::array<std::uint64_t, (1u << kBits) / 64> bits_{};
};

/// Whether a node may have these links at `level` (G2, and a parent that is not a child).
bool possible(const GraphState& g, NodeId node, Level level, const LevelLinksView& links,
              Repeats& repeats) {
  // One link of a list is never a child's: it is there for a parent (linking.cc).
  const std::size_t most_children = std::min<std::size_t>(links.ids.size(), g.max_links(level) - 1);
  if (links.ids.size() > g.max_links(level) || links.child_count > most_children) return false;
  const auto children = links.ids.first(links.child_count);
  if (links.parent != kNoNode &&
      std::find(children.begin(), children.end(), links.parent) != children.end()) {
    return false;
  }
  repeats.clear();
  for (std::size_t i = 0; i < links.ids.size(); ++i) {
    if (links.ids[i] == node || repeats.seen(links.ids.first(i), links.ids[i])) return false;
  }
  return true;
}

/// One restore_links(): lists are checked and gathered, then get their blocks under one lock.
class LinkRestorer {
 public:
  LinkRestorer(const GraphState& g, Topology& t, std::uint64_t limit)
      : g_(g),
        t_(t),
        limit_(limit),
        all_in_use_(std::int64_t{g.live_count.load()} + g.tombstone_count.load() ==
                    static_cast<std::int64_t>(limit)) {}

  void gather(const StoredLinks& stored) {
    if (!possible_node(stored)) {
      ++report_.rejected_nodes;
      return;
    }
    const std::uint64_t before = report_.left_out;
    for (Level level = 0; level < stored.levels.size(); ++level) {
      gather_level(stored.node, level, stored.levels[level]);
    }
    if (report_.left_out == before) return;
    ++report_.cut_nodes;
    t_.mark_changed(stored.node);  // or the stored list would be cut at every opening
  }

  RestoredLinks publish() {
    t_.arena().allocate_blocks(requests_);
    const NodeId* ids = ids_.data();
    for (std::size_t i = 0; i < lists_.size(); ++i) {
      const LinkArena::BlockRequest& request = requests_[i];
      const List& list = lists_[i];
      BlockHeader* block = t_.arena().block(request.handle);
      block->child_count = static_cast<std::uint16_t>(list.children);
      block->parent = list.parent;
      std::copy_n(ids, request.count, block->mutable_ids());
      ids += request.count;
      if (list.level == 0) t_.make_upper(request.owner, g_.level(request.owner));
      t_.restore(request.owner, list.level, request.handle);
    }
    return report_;
  }

 private:
  struct List {
    Level level = 0;
    std::uint32_t children = 0;
    NodeId parent = kNoNode;
  };

  bool possible_node(const StoredLinks& stored) {
    if (raw(stored.node) >= limit_ || g_.state(stored.node) == NodeState::kFree) return false;
    if (stored.levels.size() != std::size_t{g_.level(stored.node)} + 1) return false;
    for (Level level = 0; level < stored.levels.size(); ++level) {
      if (!possible(g_, stored.node, level, stored.levels[level], repeats_)) return false;
    }
    return true;
  }

  bool has_level(NodeId id, Level level) const {
    return raw(id) < limit_ && (all_in_use_ || g_.state_relaxed(id) != NodeState::kFree) &&
           (level == 0 || g_.level(id) >= level);
  }

  void gather_level(NodeId node, Level level, const LevelLinksView& from) {
    List list{level, 0, kNoNode};
    const std::size_t begin = ids_.size();
    for (std::size_t i = 0; i < from.ids.size(); ++i) {
      const NodeId id = from.ids[i];
      if (!has_level(id, level)) {
        ++report_.left_out;
        continue;
      }
      ids_.push_back(id);
      if (i < from.child_count) ++list.children;
      if (id == from.parent) list.parent = id;
    }
    if (list.parent == kNoNode) ++report_.roots;
    lists_.push_back(list);
    requests_.push_back({node, static_cast<std::uint32_t>(ids_.size() - begin), kNoBlock});
  }

  const GraphState& g_;
  Topology& t_;
  const std::uint64_t limit_;
  const bool all_in_use_;  ///< no slot below limit_ is free: no need to look at each link's
  RestoredLinks report_;
  Repeats repeats_;
  internal::Vector<List> lists_;  ///< and its block in requests_, its ids in ids_, in this order
  internal::Vector<LinkArena::BlockRequest> requests_;
  internal::Vector<NodeId> ids_;
};

// The highest node that may be one.
EntryPoint find_entry_point(const GraphState& g, const Topology& t) {
  EntryPoint best;
  const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    const NodeState s = g.state(node);
    if (s == NodeState::kFree || s == NodeState::kCondemned || !t.linked(node)) continue;
    if (best.node == kNoNode || g.level(node) > best.level) best = {node, g.level(node)};
  }
  return best;
}

Status place(GraphState& g, std::span<const StoredPayload> nodes, Scratch& scratch) {
  std::int32_t live = 0;
  std::int32_t tombstones = 0;
  Status status;
  for (const StoredPayload& n : nodes) {
    if (g.state(n.node) != NodeState::kFree) {
      status = Status::corruption("node " + std::to_string(raw(n.node)) + " is stored twice");
      break;
    }
    g.write_payload(n.node, n.label, n.level, n.row, scratch);
    if (n.state == NodeState::kPending) {
      g.visibility.begin_life(n.node, kNoNode);
    } else {
      g.visibility.restore(n.node, n.state == NodeState::kLive);
    }
    g.set_state(n.node, n.state);
    if (n.state == NodeState::kLive) ++live;
    if (n.state == NodeState::kTombstone) ++tombstones;
  }
  g.live_count.fetch_add(live);
  g.tombstone_count.fetch_add(tombstones);
  return status;
}

}  // namespace

Status Graph::place_node(NodeId node, Label label, Level level, const std::byte* row,
                         NodeState state) {
  const StoredPayload payload{node, label, level, state, row};
  return place_nodes({&payload, 1});
}

Status Graph::place_nodes(std::span<const StoredPayload> nodes) {
  GraphState& g = *state_;
  std::uint64_t limit = 0;
  for (const StoredPayload& n : nodes) {
    if (raw(n.node) >= kMaxNodes || n.level >= kMaxLevels) {
      return Status::corruption("node " + std::to_string(raw(n.node)) + " at level " +
                                std::to_string(n.level) + " is out of range");
    }
    limit = std::max(limit, std::uint64_t{raw(n.node)} + 1);
  }
  const BorrowedScratch scratch(g.scratches);
  {
    const internal::MutexLock lock(g.slots_mutex);
    const bool more = g.next_slot.load() < limit;
    if (more) g.grow(limit);
    // Under the lock while the graph is flat (G15): before the limit is stored, so that who looks at
    // all slots when linking begins finds each whole or free.
    const bool flat = g.flat.load(std::memory_order_relaxed);
    Status status;
    if (flat) status = place(g, nodes, *scratch);
    if (more) g.next_slot.store(limit, std::memory_order_release);
    if (flat) return status;
  }
  return place(g, nodes, *scratch);
}

void Graph::finish_placing(std::uint64_t limit) {
  GraphState& g = *state_;
  const internal::MutexLock lock(g.slots_mutex);
  if (limit > g.next_slot.load()) {
    g.grow(limit);
    g.next_slot.store(limit, std::memory_order_release);
  }
  g.reclaim_slots();
  g.free_slots.clear();
  for (std::uint64_t i = g.next_slot.load(); i-- > 0;) {  // so that the lowest is handed out first
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (g.state(node) == NodeState::kFree) g.free_slots.push_back(node);
  }
}

RestoredLinks Graph::restore_links(std::span<const StoredLinks> nodes) {
  GraphState& g = *state_;
  begin_linking();
  LinkRestorer restorer(g, *g.topology.load(std::memory_order_acquire), node_limit());
  for (const StoredLinks& stored : nodes) restorer.gather(stored);
  return restorer.publish();
}

namespace {

// As many as a trial of sketches wants.
std::vector<NodeId> some_linked(const GraphState& g, const Topology& t) {
  std::vector<NodeId> some;
  const std::uint64_t slots = g.next_slot.load(std::memory_order_relaxed);
  const std::uint64_t step =
      std::max<std::uint64_t>(slots / (std::uint64_t{2} * SketchTrial::kQueries), 1);
  for (std::uint64_t i = 0; i < slots && some.size() < SketchTrial::kQueries; i += step) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (g.state(node) != NodeState::kFree && t.linked(node)) some.push_back(node);
  }
  return some;
}

}  // namespace

void Graph::finish_restoring(EntryPoint wanted, bool damaged, unsigned threads) {
  GraphState& g = *state_;
  Topology& t = *g.topology.load(std::memory_order_acquire);
  const EntryPoint highest = find_entry_point(g, t);
  const bool valid = wanted.node != kNoNode && raw(wanted.node) < node_limit() &&
                     g.state(wanted.node) != NodeState::kFree && t.linked(wanted.node) &&
                     g.level(wanted.node) == wanted.level && wanted.level >= highest.level;
  EntryPoint present = t.entry_point();
  const EntryPoint chosen = valid ? wanted : highest;
  while (!(present == chosen) && !t.replace_entry_point(present, chosen)) {
  }
  if (damaged || tombstones_hang_loose(g, t)) mend_trees(g, t);
  try_sketches(g, some_linked(g, t), threads);
}

}  // namespace vicinal::graph
