#include "graph/relink.h"

#include <algorithm>

#include "graph/copies.h"
#include "graph/cycle_guard.h"
#include "graph/link_list.h"
#include "graph/linking.h"
#include "graph/scorer.h"
#include "graph/trees.h"

namespace vicinal::graph {
namespace {

bool condemned(const GraphState& g, NodeId node) { return g.state(node) == NodeState::kCondemned; }

// The healthy links of `node`, nearest first, from which a parent may be chosen: live ones not
// below it.
internal::Vector<Neighbor> parents_nearby(const GraphState& g, const Topology& t, NodeId node,
                                          Level level, Scratch& scratch) {
  constexpr std::size_t kEnough = 4;
  LinkList list(g, node, level, scratch);
  list.load(t);
  std::sort(list.entries().begin(), list.entries().end(),
            [](const auto& a, const auto& b) { return a.neighbor < b.neighbor; });
  internal::Vector<Neighbor> near;
  for (const LinkList::Entry& e : list.entries()) {
    const NodeId candidate = e.neighbor.node;
    if (near.size() == kEnough) break;
    // A pending node may still change its parent, perhaps to one below `node`.
    if (e.kind == LinkList::Kind::kChild || g.state(candidate) != NodeState::kLive) continue;
    if (!hangs_below(t, candidate, node, level)) near.push_back(e.neighbor);
  }
  return near;
}

// For a node whose parent is condemned: how its copies (copies.h) stay together in the tree.
struct CopiesAbove {
  internal::Vector<Neighbor> parents;  ///< as of parents_nearby(): the nearest above it comes first
  NodeId top = kNoNode;                ///< of the condemned ones that it hangs from the uppermost
};

CopiesAbove copies_above(const GraphState& g, const Topology& t, NodeId node, Level level,
                         Scratch& scratch) {
  constexpr std::size_t kEnough = 4;
  CopiesAbove above;
  const float self = Scorer::for_node(g, node, Scorer::Side::kSecond, scratch)(node);
  internal::Vector<NodeId> dead;
  CycleGuard guard;
  NodeId at = parent_of(t, node, level);
  while (at != kNoNode && condemned(g, at) && !guard.repeats(at) && same_value(g, node, at)) {
    dead.push_back(at);
    at = parent_of(t, at, level);
  }
  if (dead.empty()) return above;
  above.top = dead.back();
  if (at != kNoNode && !condemned(g, at) && at != node && same_value(g, node, at)) {
    above.parents.push_back({self, at});
  }
  // Those that hang from the same.
  for (const NodeId d : dead) {
    const BlockHeader* block = t.block(d, level);
    if (block == nullptr) continue;
    for (const NodeId other : block->ids()) {
      if (above.parents.size() == kEnough) return above;
      const auto present = [&](const Neighbor& n) { return n.node == other; };
      if (other == node || g.state(other) != NodeState::kLive ||
          std::any_of(above.parents.begin(), above.parents.end(), present) ||
          !same_value(g, node, other) || hangs_below(t, other, node, level)) {
        continue;
      }
      above.parents.push_back({self, other});
    }
  }
  return above;
}

// `node` becomes the root of its level; the dead root points to it, so that others who climb find
// it.
void become_root(GraphState& g, Topology& t, NodeId node, NodeId dead_root, Level level,
                 Scratch& scratch) {
  {
    const internal::MutexLock lock(g.stripe(node));
    LinkList list(g, node, level, scratch);
    list.load(t);
    list.clear_parent();
    list.publish(t);
  }
  const float distance = Scorer::for_node(g, dead_root, Scorer::Side::kSecond, scratch)(node);
  set_parent(g, t, dead_root, level, {distance, node}, scratch);
}

// Where the condemned fill the lists of all whom find_parent() asks: `node` becomes a child of
// `ancestor` instead of one of those. What else hangs below it is loose for a moment, until its
// turn. Of 60 passes at M 4 that unlinked 40 or 90 % of some 600, 52 nodes came to this; at M 8
// none did.
bool replace_condemned_child(GraphState& g, Topology& t, const Neighbor& ancestor, NodeId node,
                             Level level, Scratch& scratch) {
  {
    const internal::MutexLock lock(g.stripe(ancestor.node));
    LinkList list(g, ancestor.node, level, scratch);
    list.load(t);
    const auto child =
        std::find_if(list.entries().begin(), list.entries().end(), [&](const LinkList::Entry& e) {
          return e.kind == LinkList::Kind::kChild && condemned(g, e.neighbor.node);
        });
    if (child == list.entries().end()) return false;
    list.entries().erase(child);
    std::erase_if(list.entries(),
                  [&](const LinkList::Entry& e) { return e.neighbor.node == node; });
    list.add({ancestor.distance, node}, LinkList::Kind::kChild);
    list.publish(t);
  }
  set_parent(g, t, node, level, ancestor, scratch);
  return true;
}

// The copy (copies.h) that a condemned node hangs from, or that came to stand for all: as good a
// neighbor, if need be as a tombstone, until the next pass. kNoNode when all are condemned.
NodeId stand_in(const GraphState& g, const Topology& t, NodeId node, Level level) {
  CycleGuard guard;
  while (condemned(g, node)) {
    if (guard.repeats(node) || !hangs_from_copy(g, t, node, level)) return kNoNode;
    node = parent_of(t, node, level);
  }
  return node;
}

// Adds what the condemned entries of `list` lead to, and who stands in for them, and takes them
// out. Returns the healthy ones it had. `wiped_out` becomes true when most of what they lead to is
// condemned as well: what is left of such a neighborhood lies far away.
std::size_t replace_condemned(const GraphState& g, const Topology& t, LinkList& list, NodeId node,
                              Level level, Scratch& scratch, bool& wiped_out) {
  internal::Vector<NodeId> dead;
  std::erase_if(list.entries(), [&](const LinkList::Entry& e) {
    if (!condemned(g, e.neighbor.node)) return false;
    dead.push_back(e.neighbor.node);
    return true;
  });
  const std::size_t healthy = list.entries().size();
  if (dead.empty()) return healthy;
  std::size_t met = 0;
  std::size_t met_dead = 0;
  const Scorer score = Scorer::for_node(g, node, Scorer::Side::kMain, scratch);
  const auto add = [&](NodeId next) {
    if (next == kNoNode || next == node || list.find(next) != nullptr) return;
    list.add({score(next), next}, LinkList::Kind::kOrdinary);
  };
  for (const NodeId d : dead) {
    add(stand_in(g, t, d, level));
    const BlockHeader* block = t.block(d, level);
    if (block == nullptr) continue;
    for (NodeId next : block->ids()) {
      ++met;
      if (condemned(g, next)) {
        next = stand_in(g, t, next, level);
        met_dead += next == kNoNode ? 1 : 0;
        add(next);
      } else if (g.state(next) == NodeState::kLive) {
        add(next);
      }
    }
  }
  wiped_out = wiped_out || 2 * met_dead > met;
  return healthy;
}

// Whether a list that had `before` links, `healthy` of them healthy, can not be made good from the
// `found` that these and the condemned ones led to.
bool lost_its_neighborhood(const GraphState& g, std::size_t before, std::size_t healthy,
                           std::size_t found) {
  return found < before || (2 * healthy < before && 2 * found < g.config.M);
}

}  // namespace

void reparent(GraphState& g, Topology& t, NodeId node, Scratch& scratch) {
  for (Level level = 0; level <= g.level(node); ++level) {
    const NodeId parent = parent_of(t, node, level);
    if (parent == kNoNode || !condemned(g, parent)) continue;
    NodeId last = kNoNode;
    const NodeId ancestor = climb_to_healthy(g, t, node, level, last);
    if (ancestor == kNoNode || ancestor == node) {
      become_root(g, t, node, last, level, scratch);
      continue;
    }
    const CopiesAbove above = copies_above(g, t, node, level, scratch);
    internal::Vector<Neighbor> near = above.parents;
    const bool stands_for_all = above.parents.empty() && above.top != kNoNode;
    for (const Neighbor& n : parents_nearby(g, t, node, level, scratch)) {
      if (!stands_for_all || !hangs_below(t, n.node, above.top, level)) near.push_back(n);
    }
    const float distance = Scorer::for_node(g, node, Scorer::Side::kSecond, scratch)(ancestor);
    near.push_back({distance, ancestor});
    if (find_parent(g, t, node, level, near, scratch)) {
      if (stands_for_all && !hangs_below(t, parent_of(t, node, level), above.top, level)) {
        // Other copies that climb find this one, which now stands for all.
        g.repair_pass().underfull.push_back(node);
        const Scorer score = Scorer::for_node(g, node, Scorer::Side::kSecond, scratch);
        set_parent(g, t, above.top, level, {score(node), node}, scratch);
      }
      continue;
    }
    CycleGuard guard;
    for (Neighbor at = near.back(); at.node != kNoNode && !guard.repeats(at.node) &&
                                    !replace_condemned_child(g, t, at, node, level, scratch);
         at = nearest_child(g, t, node, at.node, level, scratch)) {
    }
  }
}

bool relink(GraphState& g, Topology& t, NodeId node, Scratch& scratch) {
  bool changed = false;
  bool underfull = false;
  for (Level level = 0; level <= g.level(node); ++level) {
    const BlockHeader* block = t.block(node, level);
    if (block == nullptr) continue;
    const auto is_condemned = [&](NodeId n) { return condemned(g, n); };
    if (std::none_of(block->ids().begin(), block->ids().end(), is_condemned)) continue;
    changed = true;
    internal::Vector<Neighbor> added;
    {
      const internal::MutexLock lock(g.stripe(node));
      LinkList list(g, node, level, scratch);
      list.load(t);
      const std::size_t before = list.entries().size();
      const std::size_t healthy = replace_condemned(g, t, list, node, level, scratch, underfull);
      const internal::Vector<LinkList::Entry> all = list.entries();
      underfull = underfull || lost_its_neighborhood(g, before, healthy, all.size());
      list.prune();
      // Selection alone would thin the lists round by round: give back what was healthy, up to the
      // old length.
      for (std::size_t i = 0; i < all.size() && list.entries().size() < before; ++i) {
        if (i < healthy && list.find(all[i].neighbor.node) == nullptr) {
          list.entries().push_back(all[i]);
        }
      }
      for (const LinkList::Entry& e : list.entries()) {
        const auto same = [&](const LinkList::Entry& o) {
          return o.neighbor.node == e.neighbor.node;
        };
        const auto old_end = all.begin() + static_cast<std::ptrdiff_t>(healthy);
        if (std::none_of(all.begin(), old_end, same)) added.push_back(e.neighbor);
      }
      list.publish(t);
    }
    link_from(g, t, added, node, level, scratch);
  }
  if (underfull) g.repair_pass().underfull.push_back(node);
  return changed;
}

}  // namespace vicinal::graph
