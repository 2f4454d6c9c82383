// Algorithm 1: one node is linked, at once or by a plan made before.
#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

#include "engine/base/check.h"
#include "graph/graph.h"
#include "graph/link_list.h"
#include "graph/linking.h"
#include "graph/search_layer.h"
#include "graph/select_links.h"

namespace vicinal::graph {
namespace {

// Whether new nodes link to `node`. What dies while a topology is built that has it may be
// resurrected: were it left out of its neighbors' lists, it would hardly be met again.
bool linkable(const GraphState& g, const Topology& t, NodeId node) {
  const NodeState s = g.state(node);
  if (s == NodeState::kTombstone) return g.topology.load(std::memory_order_relaxed) != &t;
  return s == NodeState::kLive || s == NodeState::kPending;
}

// Counts for search_layer(): what a new node may link to, if need be.
struct NotCondemned {
  const GraphState& g;
  const Topology& t;

  bool every(const std::uint64_t* /*entries*/, std::size_t /*count*/) const { return false; }
  bool operator()(NodeId node) const {
    return linkable(g, t, node) || g.state(node) == NodeState::kTombstone;
  }
};

// What a new node may link to at one level, each nearest first.
struct Candidates {
  internal::Vector<LinkCandidate> healthy;
  internal::Vector<LinkCandidate> tombstones;  ///< those that are nearer than every healthy one
  bool crowded = false;                        ///< few were healthy: `healthy` holds tombstones too
};

// Tombstones will be unlinked again, but until then (or should they be resurrected) they are the
// way to a node among them; a node whose only links lead far away is hardly ever met. So the very
// nearest are linked to beside the healthy ones, and where hardly any is healthy, all alike.
void sort_out(const GraphState& g, const Topology& t, const CandidatePool& pool, Candidates& c) {
  c.healthy.resize(pool.size());
  std::size_t healthy = 0;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    c.healthy[healthy].neighbor = pool[i];
    healthy += linkable(g, t, pool[i].node) ? 1 : 0;
  }
  if (healthy == pool.size()) return;  // as a rule
  c.healthy.clear();
  internal::Vector<LinkCandidate> all;
  all.reserve(pool.size());
  for (std::size_t i = 0; i < pool.size(); ++i) {
    const LinkCandidate candidate{pool[i], false};
    if (linkable(g, t, pool[i].node)) {
      c.healthy.push_back(candidate);
    } else if (g.state(pool[i].node) != NodeState::kTombstone) {
      continue;
    } else if (c.healthy.empty()) {
      c.tombstones.push_back(candidate);
    }
    all.push_back(candidate);
  }
  if (c.healthy.size() >= std::min<std::size_t>(g.config.M, pool.size())) return;
  c.crowded = true;
  c.healthy.swap(all);
  c.tombstones.clear();
}

// Never empty while the entry point is healthy (G9 rests on that).
Candidates find_candidates(const GraphState& g, const Topology& t, const Scorer& score, NodeId node,
                           EntryPoint entry, Neighbor& start, Level level, Scratch& scratch) {
  const std::size_t ef = g.config.ef_construction;
  Candidates c;
  // Expanding only the nearer half of what is far from the M-th nearest took an eighth less time
  // and, at a million rows of 384 dimensions, 0.009 of the recall at ef 80.
  search_layer(g, t, score, start, ef, level, node, scratch);
  if (scratch.pool.size() > 0) start = scratch.pool[0];
  sort_out(g, t, scratch.pool, c);
  if (!c.healthy.empty()) return c;
  // Farther, through what is condemned: some thirty distances for each of 16 ef nodes.
  const WalkWidth farther{.ef = ef, .others = ef * 16, .distances = std::uint64_t{ef} * 16 * 30};
  search_layer(g, t, score, start, farther, level, node, NotCondemned{g, t}, scratch);
  sort_out(g, t, scratch.pool, c);
  if (c.healthy.empty() && entry.node != node && g.state(entry.node) != NodeState::kCondemned) {
    c.healthy.push_back({{score(entry.node), entry.node}, false});
  }
  return c;
}

void choose_links(const GraphState& g, Candidates& c, ForwardLinks& forward, Scratch& scratch) {
  forward.crowded = c.crowded;
  forward.links.clear();
  c.healthy.resize(select_links(g, c.healthy, g.config.M, scratch));
  const std::size_t few = std::min<std::size_t>(std::max(g.config.M / 4, 1u),
                                                g.max_links(forward.level) - c.healthy.size());
  c.tombstones.resize(select_links(g, c.tombstones, few, scratch));
  for (const LinkCandidate& l : c.healthy) forward.links.push_back(l.neighbor);
  for (const LinkCandidate& l : c.tombstones) forward.links.push_back(l.neighbor);
}

void link_back(GraphState& g, Topology& t, NodeId node, const ForwardLinks& forward,
               Scratch& scratch) {
  if (forward.links.empty()) return;
  bool has_parent = false;
  for (const Neighbor& n : forward.links) {
    std::array<Incoming, 1> incoming{{{{n.distance, node}, !has_parent, false}}};
    add_links(g, t, n.node, forward.level, incoming, Adoption::kUsual, scratch);
    if (!incoming[0].adopted) continue;
    has_parent = true;
    if (n.node != forward.links.front().node) {
      set_parent(g, t, node, forward.level, n, scratch);
    }
  }
  if (!has_parent) find_parent(g, t, node, forward.level, forward.links, scratch);
  if (forward.crowded) note_crowded(g, node);
}

// The links of `node` from level `low` on: the plan's, once, or those that a search finds. False
// when there is nobody to link to.
bool take_or_find_links(GraphState& g, Topology& t, NodeId node, EntryPoint entry, Level low,
                        LinkPlan*& plan, Scratch& scratch, internal::Vector<ForwardLinks>& out) {
  out.clear();
  if (entry.node == kNoNode) return false;
  if (plan != nullptr) {
    out.swap(std::exchange(plan, nullptr)->forward);
  } else if (entry.level >= low) {
    find_forward_links(g, t, node, approach(g, t, node, entry, scratch), low, scratch, out);
  }
  return low > 0 || !out.front().links.empty();
}

// Algorithm 1 for what the plan's search saw or, without a plan, one sees now.
void link_once(GraphState& g, Topology& t, NodeId node, LinkPlan* plan, Scratch& scratch) {
  const Level level = g.level(node);
  t.make_upper(node, level);
  EntryPoint entry = plan != nullptr ? plan->entry : t.entry_point();
  Level low = 0;  // levels below it are linked
  internal::Vector<ForwardLinks> forward;
  for (;;) {
    const bool alone = !take_or_find_links(g, t, node, entry, low, plan, scratch, forward);
    // Levels above the entry point's are this node's alone if the entry point can be raised to it.
    const std::size_t found = alone ? 0 : forward.size();
    for (Level l = low; l <= level; ++l) {
      if (l - low < found) {
        publish_forward_links(g, t, node, forward[l - low], scratch);
      } else {
        publish_forward_links(g, t, node, {l, {}}, scratch);
      }
    }
    for (std::size_t i = 0; i < found; ++i) link_back(g, t, node, forward[i], scratch);
    if (!alone && level <= entry.level) return;
    const EntryPoint before = entry;
    if (t.replace_entry_point(entry, {node, level})) return;
    // Somebody else was quicker: hang below the new entry point what hangs nowhere yet.
    if (!alone) low = before.level + 1;
    if (low > level) return;
  }
}

}  // namespace

Approach approach(const GraphState& g, const Topology& t, NodeId node, EntryPoint entry,
                  Scratch& scratch) {
  const Scorer score = Scorer::for_node(g, node, Scorer::Side::kMain, scratch);
  Approach a;
  a.entry = entry;
  a.level = std::min(g.level(node), entry.level);
  a.start = {score(entry.node), entry.node};
  // Not more broadly, as searches do: what came to the wrong cluster links it to the right one
  // (mix, a million rows: 18 queries in 3,000 found nothing right at ef 80, not 7, where inserts
  // descended like searches).
  for (Level level = entry.level; level > a.level; --level) {
    a.start = descend(g, t, score, a.start, level, level - 1, 1, scratch).nearest();
    if (level <= a.passed.size()) a.passed[a.passed.size() - level] = a.start.node;
  }
  return a;
}

void find_forward_links(const GraphState& g, const Topology& t, NodeId node, const Approach& a,
                        Level low, Scratch& scratch, internal::Vector<ForwardLinks>& out) {
  const Scorer score = Scorer::for_node(g, node, Scorer::Side::kMain, scratch);
  const EntryPoint entry = a.entry;
  Neighbor start = a.start;
  out.clear();
  out.resize(a.level - low + 1);
  for (Level level = a.level + 1; level-- > low;) {
    Candidates found = find_candidates(g, t, score, node, entry, start, level, scratch);
    ForwardLinks& forward = out[level - low];
    forward.level = level;
    choose_links(g, found, forward, scratch);
  }
}

void publish_forward_links(GraphState& g, Topology& t, NodeId node, const ForwardLinks& forward,
                           Scratch& scratch) {
  LinkList list(g, node, forward.level, scratch);
  for (const Neighbor& n : forward.links) {
    const bool first = n.node == forward.links.front().node;
    list.add(n, first ? LinkList::Kind::kParent : LinkList::Kind::kOrdinary);
  }
  list.publish(t);
}

void note_crowded(GraphState& g, NodeId node) {
  const std::lock_guard lock(g.crowded_mutex);
  g.crowded.push_back(node);
}

void add_links_both_ways(GraphState& g, Topology& t, NodeId node, Level level,
                         std::span<const Neighbor> wanted, Scratch& scratch) {
  internal::Vector<Neighbor> added;
  {
    const std::lock_guard lock(g.stripe(node));
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

void choose_mates(const GraphState& g, const Topology& t, NodeId node,
                  std::span<const NodeId> others, internal::Vector<Neighbor>& links,
                  internal::Vector<Neighbor>& mates, Scratch& scratch) {
  const auto present = [&](NodeId other) {
    return std::any_of(links.begin(), links.end(),
                       [&](const Neighbor& n) { return n.node == other; });
  };
  scratch.ids.clear();
  for (const NodeId other : others) {
    if (other == node || !linkable(g, t, other) || present(other)) continue;
    scratch.ids.push_back(raw(other));
  }
  const std::size_t count = scratch.ids.size();
  if (count == 0) return;
  scratch.distances.resize(std::max(scratch.distances.size(), count));
  const Scorer score = Scorer::for_node(g, node, Scorer::Side::kMain, scratch);
  score(scratch.ids.data(), count, scratch.distances.data());
  scratch.distances_computed += count;
  internal::Vector<LinkCandidate> candidates;
  candidates.reserve(count + links.size());
  for (std::size_t i = 0; i < count; ++i) {
    candidates.push_back({{scratch.distances[i], NodeId{scratch.ids[i]}}, false});
  }
  // The links were chosen by one selection; the parent that is hoped for and tombstones, which that
  // selection did not see, stay.
  std::size_t limit = g.config.M;
  for (const Neighbor& n : links) {
    const bool tombstone = !linkable(g, t, n.node);
    candidates.push_back({n, tombstone || n.node == links.front().node, true});
    limit += tombstone ? 1 : 0;  // they stand beside the M
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const auto& a, const auto& b) { return a.neighbor < b.neighbor; });
  candidates.resize(
      select_links(g, candidates, std::min<std::size_t>(limit, g.max_links(0)), scratch));
  for (const LinkCandidate& c : candidates) {
    if (!present(c.neighbor.node)) mates.push_back(c.neighbor);
  }
  if (mates.empty()) return;
  internal::Vector<Neighbor> kept;
  for (const Neighbor& n : links) {
    const auto same = [&](const LinkCandidate& c) { return c.neighbor.node == n.node; };
    if (std::any_of(candidates.begin(), candidates.end(), same)) kept.push_back(n);
  }
  links.swap(kept);
}

void meet(GraphState& g, Topology& t, NodeId node, std::span<const NodeId> others,
          Scratch& scratch) {
  if (others.empty()) return;
  LinkList list(g, node, 0, scratch);
  if (!list.load(t)) return;
  internal::Vector<Neighbor> present;
  for (const LinkList::Entry& e : list.entries()) present.push_back(e.neighbor);
  internal::Vector<Neighbor> mates;
  choose_mates(g, t, node, others, present, mates, scratch);
  add_links_both_ways(g, t, node, 0, mates, scratch);
}

void look_for_links_anew(GraphState& g, Topology& t, NodeId node, Scratch& scratch) {
  const EntryPoint entry = t.entry_point();
  if (entry.node == kNoNode) return;
  internal::Vector<ForwardLinks> levels;
  find_forward_links(g, t, node, approach(g, t, node, entry, scratch), 0, scratch, levels);
  for (const ForwardLinks& forward : levels) {
    add_links_both_ways(g, t, node, forward.level, forward.links, scratch);
  }
}

void link_node(GraphState& g, Topology& t, NodeId node, LinkPlan* plan, Scratch& scratch) {
  std::uint64_t before = plan != nullptr ? plan->noted_before : t.recently_linked().count();
  link_once(g, t, node, plan, scratch);
  t.recently_linked().note(node);
  internal::Vector<NodeId> meanwhile;
  while (!t.recently_linked().since(before, meanwhile) || meanwhile.size() > kFewOthers) {
    before = t.recently_linked().count();
    look_for_links_anew(g, t, node, scratch);
  }
  meet(g, t, node, meanwhile, scratch);
}

std::shared_ptr<LinkPlan> Graph::plan_link(NodeId node) const {
  GraphState& g = *state_;
  const BorrowedScratch scratch(g.scratches);
  auto plan = std::make_shared<LinkPlan>();
  plan->condemnations = g.condemnations.load(std::memory_order_acquire);
  Topology& t = *g.topology.load(std::memory_order_acquire);
  const EntryPoint entry = t.entry_point();
  if (entry.node == kNoNode) return nullptr;
  plan->topology = t.serial();
  plan->noted_before = t.recently_linked().count();
  plan->entry = entry;
  find_forward_links(g, t, node, approach(g, t, node, entry, *scratch), 0, *scratch, plan->forward);
  return plan;
}

namespace {

void link_wherever(GraphState& g, NodeId node, LinkPlan* plan) {
  const Linkers::Inside scratch(g.scratches);
  // In this order: who misses what is coming because it is present already sees it as that.
  Topology* const coming = g.coming.load(std::memory_order_acquire);
  Topology& t = *g.topology.load(std::memory_order_acquire);
  if (coming != nullptr && coming != &t) link_node(g, *coming, node, nullptr, *scratch);
  // Nothing that the plan names was condemned since, or is condemned only by a pass that waits for
  // this link: so no slot was reused.
  const bool good = plan != nullptr && plan->topology == t.serial() &&
                    plan->condemnations == g.condemnations.load(std::memory_order_acquire) &&
                    t.recently_linked().count() - plan->noted_before <= kFewOthers;
  link_node(g, t, node, good ? plan : nullptr, *scratch);
  note_linked(g, std::span(&node, 1));
}

}  // namespace

void Graph::link(NodeId node, const std::shared_ptr<LinkPlan>& plan) noexcept {
  try {
    link_wherever(*state_, node, plan.get());
  } catch (const std::bad_alloc&) {
    state_->backlog.join(node);
  }
}

void Graph::link_missing(std::span<const NodeId> nodes) noexcept {
  for (const NodeId node : nodes) {
    try {
      if (!linked(node)) link_wherever(*state_, node, nullptr);
    } catch (const std::bad_alloc&) {
      state_->backlog.join(node);
    }
  }
}

}  // namespace vicinal::graph
