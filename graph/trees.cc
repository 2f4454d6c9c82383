#include "graph/trees.h"

#include <algorithm>

#include "engine/base/mutex.h"
#include "graph/cycle_guard.h"
#include "graph/link_list.h"
#include "graph/linking.h"
#include "graph/search_layer.h"

namespace vicinal::graph {
namespace {

bool has_level(const GraphState& g, const Topology& t, NodeId node, Level level) {
  return g.state(node) != NodeState::kFree && t.linked(node) && g.level(node) >= level &&
         t.block(node, level) != nullptr;
}

// Nodes without links of their own will be linked afresh; met in a list before that, two of them
// could take each other for a parent.
bool drop_links_to_nowhere(const GraphState& g, const Topology& t, LinkList& list, Level level) {
  return std::erase_if(list.entries(), [&](const LinkList::Entry& e) {
           return !has_level(g, t, e.neighbor.node, level);
         }) > 0;
}

// Makes a node that the tree does not span a leaf without a parent: its tree links say nothing
// true.
void forget_tree_links(GraphState& g, Topology& t, NodeId node, Level level, Scratch& scratch) {
  const internal::MutexLock lock(g.stripe(node));
  LinkList list(g, node, level, scratch);
  if (!list.load(t)) return;
  drop_links_to_nowhere(g, t, list, level);
  for (LinkList::Entry& e : list.entries()) e.kind = LinkList::Kind::kOrdinary;
  list.publish(t);
}

// The spanned nodes among those that a layer search around `node` meets, nearest first.
internal::Vector<Neighbor> spanned_nearby(const GraphState& g, const Topology& t, NodeId node,
                                          EntryPoint entry, NodeId root, Level level,
                                          const std::vector<bool>& spanned, Scratch& scratch) {
  const Scorer score = Scorer::for_node(g, node, Scorer::Side::kMain, scratch);
  Neighbor start{score(entry.node), entry.node};
  start = descend(g, t, score, start, entry.level, level, 1, scratch).nearest();
  search_layer(g, t, score, start, g.config.ef_construction, level, node, scratch);
  internal::Vector<Neighbor> near;
  for (std::size_t i = 0; i < scratch.pool.size() && near.size() < g.max_links(level); ++i) {
    const Neighbor n = scratch.pool[i];
    if (spanned[raw(n.node)] && g.state(n.node) != NodeState::kCondemned) near.push_back(n);
  }
  if (near.empty() && root != node) near.push_back({score(root), root});
  return near;
}

// Climbs from `node` as long as parent and child agree. Stops somewhere when it goes in a circle.
NodeId root_above(const GraphState& g, const Topology& t, NodeId node, Level level) {
  for (CycleGuard guard; !guard.repeats(node);) {
    const NodeId up = parent_of(t, node, level);
    if (up == kNoNode || !has_level(g, t, up, level) || !is_child(t, up, node, level)) break;
    node = up;
  }
  return node;
}

// Whether a child in the list of `node` is none: `root` has no parent, and others name theirs.
bool hangs_elsewhere(const Topology& t, NodeId child, NodeId node, NodeId root, Level level) {
  return child == root || parent_of(t, child, level) != node;
}

// Whether forget_false_links() would change the list. `there`: has_level() of every node.
bool says_something_false(const Topology& t, NodeId node, NodeId root, Level level,
                          const std::vector<bool>& there) {
  const BlockHeader* block = t.block(node, level);
  if (block == nullptr) return false;
  if (node == root && block->parent != kNoNode) return true;
  for (const NodeId child : block->children()) {
    if (hangs_elsewhere(t, child, node, root, level)) return true;
  }
  const std::span<const NodeId> ids = block->ids();
  return !std::all_of(ids.begin(), ids.end(), [&](NodeId id) { return there[raw(id)]; });
}

// Takes out of the tree what says something untrue about it: the root's parent, and children that
// hang elsewhere or nowhere.
void forget_false_links(GraphState& g, Topology& t, NodeId node, NodeId root, Level level,
                        const std::vector<bool>& there, Scratch& scratch) {
  const internal::MutexLock lock(g.stripe(node));
  // Restored lists lack their distances, and loading one computes them.
  if (!says_something_false(t, node, root, level, there)) return;
  LinkList list(g, node, level, scratch);
  if (!list.load(t)) return;
  bool changed = drop_links_to_nowhere(g, t, list, level);
  for (LinkList::Entry& e : list.entries()) {
    const NodeId other = e.neighbor.node;
    const bool wrong =
        (e.kind == LinkList::Kind::kParent && node == root) ||
        (e.kind == LinkList::Kind::kChild && hangs_elsewhere(t, other, node, root, level));
    if (!wrong) continue;
    e.kind = LinkList::Kind::kOrdinary;
    changed = true;
  }
  if (changed) list.publish(t);
}

std::uint64_t mend_level(GraphState& g, Topology& t, EntryPoint entry, Level level,
                         Scratch& scratch) {
  const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
  const NodeId root = root_above(g, t, entry.node, level);
  std::vector<bool> spanned = spanned_by_tree(g, t, root, level, limit);
  std::vector<bool> there(limit);
  for (std::uint64_t i = 0; i < limit; ++i) {
    there[i] = has_level(g, t, NodeId{static_cast<std::uint32_t>(i)}, level);
  }
  std::vector<NodeId> loose;
  for (std::uint64_t i = 0; i < limit; ++i) {
    if (!there[i]) continue;
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (spanned[i]) {
      forget_false_links(g, t, node, root, level, there, scratch);
    } else {
      loose.push_back(node);
    }
  }
  for (const NodeId node : loose) forget_tree_links(g, t, node, level, scratch);
  for (const NodeId node : loose) {
    const auto near = spanned_nearby(g, t, node, entry, root, level, spanned, scratch);
    if (find_parent(g, t, node, level, near, scratch)) spanned[raw(node)] = true;
  }
  return loose.size();
}

}  // namespace

NodeId parent_of(const Topology& t, NodeId node, Level level) {
  const BlockHeader* block = t.block(node, level);
  return block == nullptr ? kNoNode : block->parent;
}

bool is_child(const Topology& t, NodeId parent, NodeId child, Level level) {
  const BlockHeader* above = t.block(parent, level);
  if (above == nullptr) return false;
  const std::span<const NodeId> children = above->children();
  return std::find(children.begin(), children.end(), child) != children.end();
}

NodeId climb_to_healthy(const GraphState& g, const Topology& t, NodeId node, Level level,
                        NodeId& last) {
  last = node;
  NodeId at = parent_of(t, node, level);
  for (CycleGuard guard; at != kNoNode && !guard.repeats(at);) {
    if (g.state(at) != NodeState::kCondemned) return at;
    last = at;
    at = parent_of(t, at, level);
  }
  return kNoNode;
}

bool hangs_below(const Topology& t, NodeId node, NodeId ancestor, Level level) {
  NodeId at = node;
  for (CycleGuard guard; !guard.repeats(at);) {
    if (at == ancestor) return true;
    if (at == kNoNode) return false;
    at = parent_of(t, at, level);
  }
  return true;
}

std::vector<bool> spanned_by_tree(const GraphState& g, const Topology& t, NodeId root, Level level,
                                  std::uint64_t limit) {
  std::vector<bool> spanned(limit);
  if (root == kNoNode) return spanned;
  std::vector<NodeId> stack{root};
  spanned[raw(root)] = true;
  while (!stack.empty()) {
    const NodeId at = stack.back();
    stack.pop_back();
    const BlockHeader* block = t.block(at, level);
    if (block == nullptr) continue;
    for (const NodeId child : block->children()) {
      if (raw(child) >= limit || spanned[raw(child)] || !has_level(g, t, child, level)) continue;
      if (parent_of(t, child, level) != at) continue;
      spanned[raw(child)] = true;
      stack.push_back(child);
    }
  }
  return spanned;
}

bool tombstones_hang_loose(const GraphState& g, const Topology& t) {
  const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (g.state(node) != NodeState::kTombstone || !t.linked(node)) continue;
    for (Level level = 0; level <= g.level(node); ++level) {
      const NodeId parent = parent_of(t, node, level);
      if (parent == kNoNode) continue;
      const BlockHeader* above = t.block(parent, level);
      if (above == nullptr) return true;
      const std::span<const NodeId> children = above->children();
      if (std::find(children.begin(), children.end(), node) == children.end()) return true;
    }
  }
  return false;
}

std::uint64_t count_loose(const GraphState& g, const Topology& t) {
  const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
  const auto shown = [&](std::uint64_t i) {
    const NodeState s = g.state(NodeId{static_cast<std::uint32_t>(i)});
    return s == NodeState::kLive || s == NodeState::kTombstone;
  };
  std::vector<bool> before(limit);
  for (std::uint64_t i = 0; i < limit; ++i) before[i] = shown(i);
  g.backlog.for_each([&](NodeId node) {  // which may be linked by half
    if (raw(node) < limit) before[raw(node)] = false;
  });
  const EntryPoint entry = t.entry_point();
  if (entry.node == kNoNode) return 0;
  std::uint64_t loose = 0;
  for (Level level = 0; level <= entry.level; ++level) {
    const NodeId root = root_above(g, t, entry.node, level);
    const std::vector<bool> spanned =
        spanned_by_tree(g, t, root, level, g.next_slot.load(std::memory_order_acquire));
    for (std::uint64_t i = 0; i < limit; ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      if (!before[i] || spanned[i] || !shown(i) || g.level(node) < level) continue;
      loose += t.linked(node) ? 1 : 0;
    }
  }
  return loose;
}

std::uint64_t mend_trees(GraphState& g, Topology& t) {
  const BorrowedScratch scratch(g.scratches);
  const EntryPoint entry = t.entry_point();
  if (entry.node == kNoNode) return 0;
  std::uint64_t mended = 0;
  for (Level level = entry.level + 1; level-- > 0;) {
    mended += mend_level(g, t, entry, level, *scratch);
  }
  return mended;
}

}  // namespace vicinal::graph
