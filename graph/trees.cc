#include "graph/trees.h"

#include <algorithm>
#include <mutex>

#include "graph/link_list.h"
#include "graph/linking.h"
#include "graph/search_layer.h"

namespace vicinal::graph {
namespace {

bool has_level(const GraphState& g, const Topology& t, NodeId node, Level level) {
  return g.state(node) != NodeState::kFree && t.linked(node) && g.level(node) >= level &&
         t.block(node, level) != nullptr;
}

// Makes a node that the tree does not span a leaf without a parent: its tree links say nothing
// true.
void forget_tree_links(GraphState& g, Topology& t, NodeId node, Level level, Scratch& scratch) {
  const std::lock_guard lock(g.stripe(node));
  LinkList list(g, node, level, scratch);
  if (!list.load(t)) return;
  for (LinkList::Entry& e : list.entries()) e.kind = LinkList::Kind::kOrdinary;
  list.publish(t);
}

// The spanned nodes among those that a layer search around `node` meets, nearest first.
internal::Vector<Neighbor> spanned_nearby(const GraphState& g, const Topology& t, NodeId node,
                                          EntryPoint entry, NodeId root, Level level,
                                          const std::vector<bool>& spanned, Scratch& scratch) {
  const Scorer score = Scorer::for_node(g, node, Scorer::Side::kMain, scratch);
  Neighbor start{score(entry.node), entry.node};
  start = descend(g, t, score, start, entry.level, level, scratch);
  search_layer(g, t, score, start, g.config.ef_construction, level, node, scratch);
  internal::Vector<Neighbor> near;
  for (std::size_t i = 0; i < scratch.pool.size() && near.size() < g.max_links(level); ++i) {
    const Neighbor n = scratch.pool[i];
    if (spanned[raw(n.node)] && g.state(n.node) != NodeState::kCondemned) near.push_back(n);
  }
  if (near.empty() && root != node) near.push_back({score(root), root});
  return near;
}

std::uint64_t mend_level(GraphState& g, Topology& t, EntryPoint entry, Level level,
                         Scratch& scratch) {
  const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
  std::vector<bool> spanned = spanned_by_tree(g, t, entry.node, level, limit);
  NodeId root = entry.node;
  std::vector<NodeId> loose;
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (!spanned[i] && has_level(g, t, node, level)) loose.push_back(node);
  }
  for (const NodeId node : loose) forget_tree_links(g, t, node, level, scratch);
  for (const NodeId node : loose) {
    if (node == entry.node) continue;
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

NodeId climb_to_healthy(const GraphState& g, const Topology& t, NodeId node, Level level,
                        NodeId& last) {
  last = node;
  const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
  NodeId at = parent_of(t, node, level);
  for (std::uint64_t steps = 0; at != kNoNode && steps < limit; ++steps) {
    if (g.state(at) != NodeState::kCondemned) return at;
    last = at;
    at = parent_of(t, at, level);
  }
  return kNoNode;
}

bool hangs_below(const GraphState& g, const Topology& t, NodeId node, NodeId ancestor,
                 Level level) {
  const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
  NodeId at = node;
  for (std::uint64_t steps = 0; steps <= limit; ++steps) {
    if (at == ancestor) return true;
    if (at == kNoNode) return false;
    at = parent_of(t, at, level);
  }
  return true;
}

std::vector<bool> spanned_by_tree(const GraphState& g, const Topology& t, NodeId start, Level level,
                                  std::uint64_t limit) {
  std::vector<bool> spanned(limit);
  if (start == kNoNode) return spanned;
  NodeId root = start;
  for (std::uint64_t steps = 0; steps < limit; ++steps) {
    const NodeId up = parent_of(t, root, level);
    if (up == kNoNode || !has_level(g, t, up, level)) break;
    root = up;
  }
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
