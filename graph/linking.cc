#include "graph/linking.h"

#include <algorithm>

#include "graph/copies.h"
#include "graph/cycle_guard.h"
#include "graph/link_list.h"
#include "graph/scorer.h"
#include "graph/trees.h"

namespace vicinal::graph {
namespace {

// Makes room for one more tree link in a full list by taking out the farthest ordinary link.
bool drop_farthest_ordinary(LinkList& list) {
  LinkList::Entry* farthest = nullptr;
  for (LinkList::Entry& e : list.entries()) {
    if (e.kind != LinkList::Kind::kOrdinary) continue;
    if (farthest == nullptr || farthest->neighbor < e.neighbor) farthest = &e;
  }
  if (farthest == nullptr) return false;
  *farthest = list.entries().back();
  list.entries().pop_back();
  return true;
}

bool takes_child(const GraphState& g, LinkList& list, Level level, const Incoming& in,
                 Adoption adoption) {
  // One link stays free for a parent even in a root's list: a root that dies gets one.
  const std::size_t all = g.max_links(level) - 1;
  if (adoption == Adoption::kUsual) return list.child_count() < g.max_children(level);
  if (adoption == Adoption::kLastResort) return list.child_count() < all;
  // With two a list, a million copies hang some forty deep, and hardly take the room of the links
  // that lead on: 2,000 values x 20 of 100 dimensions, value by value, 2 values missed, with up to
  // max_children 126.
  constexpr std::ptrdiff_t kMostCopies = 2;
  const auto copy = [&](const LinkList::Entry& e) {
    return e.kind == LinkList::Kind::kChild && e.neighbor.distance == in.from.distance &&
           g.state(e.neighbor.node) != NodeState::kCondemned;
  };
  auto& entries = list.entries();
  return list.child_count() < all &&
         std::count_if(entries.begin(), entries.end(), copy) < kMostCopies;
}

bool adopt(const GraphState& g, LinkList& list, Level level, const Incoming& in,
           Adoption adoption) {
  LinkList::Entry* present = list.find(in.from.node);
  if (present != nullptr && present->kind == LinkList::Kind::kChild) return true;
  if (present != nullptr && present->kind == LinkList::Kind::kParent) return false;
  if (!takes_child(g, list, level, in, adoption)) return false;
  if (present != nullptr) {
    present->kind = LinkList::Kind::kChild;
    return true;
  }
  if (adoption == Adoption::kLastResort && list.entries().size() >= g.max_links(level) &&
      !drop_farthest_ordinary(list)) {
    return false;
  }
  list.add(in.from, LinkList::Kind::kChild);
  return true;
}

// Asks `target` alone; publishes both sides when it adopts.
bool ask(GraphState& g, Topology& t, NodeId child, Level level, const Neighbor& target,
         Adoption adoption, Scratch& scratch) {
  Incoming in{{target.distance, child}, true, false};
  add_links(g, t, target.node, level, std::span(&in, 1), adoption, scratch);
  if (in.adopted) set_parent(g, t, child, level, target, scratch);
  return in.adopted;
}

// Which of equally near children a walk takes: another one for each node that walks. By id alone,
// equal vectors would all walk down one path, which grows with every one of them.
std::uint32_t tie(NodeId node, NodeId child) {
  return (raw(node) * 2654435761u ^ raw(child)) * 2246822519u;
}

// Some child of `from` that is a copy of `node` (copies.h), or kNoNode.
NodeId any_copy_below(const GraphState& g, const Topology& t, NodeId node, NodeId from,
                      Level level) {
  NodeId chosen = kNoNode;
  const BlockHeader* block = t.block(from, level);
  if (block == nullptr) return chosen;
  for (const NodeId child : block->children()) {
    if (child == node || g.state(child) == NodeState::kCondemned) continue;
    if (chosen != kNoNode && tie(node, child) >= tie(node, chosen)) continue;
    const BlockHeader* below = t.block(child, level);
    if (below == nullptr || below->parent != from) continue;
    if (same_value(g, node, child)) chosen = child;
  }
  return chosen;
}

// Asks a copy of `child`, then copies below it: copies hang together in the tree.
bool find_parent_among_copies(GraphState& g, Topology& t, NodeId child, Level level,
                              const Neighbor& copy, Scratch& scratch) {
  CycleGuard guard;
  for (NodeId at = copy.node; at != kNoNode && !guard.repeats(at);
       at = any_copy_below(g, t, child, at, level)) {
    if (ask(g, t, child, level, {copy.distance, at}, Adoption::kCopy, scratch)) return true;
  }
  return false;
}

// Asks whoever stands below or above those of `near`, through condemned ones too: where these fill the
// lists nearby, nearest_child() leads nowhere. (Seen at a hub under inner product, most of whose children
// were replaced while a repair pass stood still.)
bool find_parent_beyond(GraphState& g, Topology& t, NodeId child, Level level,
                        std::span<const Neighbor> near, Scratch& scratch) {
  constexpr std::size_t kMost = 1000;
  internal::Vector<NodeId> asked;
  for (const Neighbor& n : near) asked.push_back(n.node);
  CycleGuard guard;
  for (NodeId at = near.empty() ? kNoNode : parent_of(t, near.front().node, level);
       at != kNoNode && at != child && !guard.repeats(at); at = parent_of(t, at, level)) {
    asked.push_back(at);
  }
  for (std::size_t i = 0; i < asked.size() && i < kMost; ++i) {
    const NodeId at = asked[i];
    const float distance = Scorer::for_node(g, child, Scorer::Side::kSecond, scratch)(at);
    if (ask(g, t, child, level, {distance, at}, Adoption::kLastResort, scratch)) return true;
    const BlockHeader* block = t.block(at, level);
    if (block == nullptr) continue;
    for (const NodeId next : block->children()) {
      const BlockHeader* below = t.block(next, level);
      if (next != child && below != nullptr && below->parent == at) asked.push_back(next);
    }
  }
  return false;
}

}  // namespace

Neighbor nearest_child(const GraphState& g, const Topology& t, NodeId node, NodeId from,
                       Level level, Scratch& scratch) {
  Neighbor nearest;
  const BlockHeader* block = t.block(from, level);
  if (block == nullptr) return nearest;
  const Scorer score = Scorer::for_node(g, node, Scorer::Side::kSecond, scratch);
  for (const NodeId child : block->children()) {
    if (child == node || g.state(child) == NodeState::kCondemned) continue;
    const BlockHeader* below = t.block(child, level);
    if (below == nullptr || below->parent != from) continue;
    // Nothing else hangs from copies of another value but their copies.
    if (same_value(g, from, child) && !same_value(g, node, child)) continue;
    const Neighbor n{score(child), child};
    const bool better = n.distance != nearest.distance ? n.distance < nearest.distance
                                                       : tie(node, child) < tie(node, nearest.node);
    if (nearest.node == kNoNode || better) nearest = n;
  }
  return nearest;
}

void add_links(GraphState& g, Topology& t, NodeId target, Level level, std::span<Incoming> incoming,
               Adoption adoption, Scratch& scratch) {
  const internal::MutexLock lock(g.stripe(target));
  if (g.state(target) == NodeState::kCondemned) return;
  LinkList list(g, target, level, scratch);
  if (!list.load(t)) return;
  // Thousands may come at once (equal vectors); the nearest few hold all that selection could keep.
  const std::size_t most = std::size_t{g.max_links(level)} * 8;
  bool changed = false;
  for (Incoming& in : incoming) {
    if (in.from.node == target) continue;
    if (in.wants_parent) {
      in.adopted = adopt(g, list, level, in, adoption);
      changed = changed || in.adopted;
    }
    if (!in.adopted && adoption == Adoption::kUsual && list.entries().size() < most &&
        list.find(in.from.node) == nullptr) {
      list.add(in.from, LinkList::Kind::kOrdinary);
      changed = true;
    }
  }
  if (!changed) return;
  list.prune_if_overfull();
  list.publish(t);
}

void link_from(GraphState& g, Topology& t, std::span<const Neighbor> targets, NodeId node,
               Level level, Scratch& scratch) {
  for (const Neighbor& n : targets) {
    Incoming back{{n.distance, node}, false, false};
    add_links(g, t, n.node, level, std::span(&back, 1), Adoption::kUsual, scratch);
  }
}

void add_links_both_ways(GraphState& g, Topology& t, NodeId node, Level level,
                         std::span<const Neighbor> wanted, Scratch& scratch) {
  internal::Vector<Neighbor> added;
  {
    const internal::MutexLock lock(g.stripe(node));
    LinkList list(g, node, level, scratch);
    if (!list.load(t)) return;
    for (const Neighbor& n : wanted) {
      if (list.find(n.node) != nullptr) continue;
      list.add(n, LinkList::Kind::kOrdinary);
      added.push_back(n);
    }
    if (added.empty()) return;
    list.prune_if_overfull();
    std::erase_if(added, [&](const Neighbor& n) { return list.find(n.node) == nullptr; });
    list.publish(t);
  }
  link_from(g, t, added, node, level, scratch);
}

void set_parent(GraphState& g, Topology& t, NodeId child, Level level, const Neighbor& parent,
                Scratch& scratch) {
  const internal::MutexLock lock(g.stripe(child));
  LinkList list(g, child, level, scratch);
  list.load(t);
  list.clear_parent();
  if (LinkList::Entry* present = list.find(parent.node)) {
    present->kind = LinkList::Kind::kParent;
  } else {
    list.add(parent, LinkList::Kind::kParent);
    list.prune_if_overfull();
  }
  list.publish(t);
}

bool find_parent(GraphState& g, Topology& t, NodeId child, Level level,
                 std::span<const Neighbor> near, Scratch& scratch) {
  for (const Neighbor& n : near) {
    if (!same_value(g, child, n.node)) break;
    if (find_parent_among_copies(g, t, child, level, n, scratch)) return true;
  }
  for (const Neighbor& n : near) {
    if (ask(g, t, child, level, n, Adoption::kUsual, scratch)) return true;
  }
  for (const Neighbor& n : near) {
    if (g.state(n.node) == NodeState::kCondemned) continue;
    CycleGuard guard;
    for (Neighbor at = nearest_child(g, t, child, n.node, level, scratch);
         at.node != kNoNode && !guard.repeats(at.node);
         at = nearest_child(g, t, child, at.node, level, scratch)) {
      if (ask(g, t, child, level, at, Adoption::kUsual, scratch)) return true;
    }
  }
  for (const Neighbor& n : near) {
    if (ask(g, t, child, level, n, Adoption::kLastResort, scratch)) return true;
  }
  return find_parent_beyond(g, t, child, level, near, scratch);
}

}  // namespace vicinal::graph
