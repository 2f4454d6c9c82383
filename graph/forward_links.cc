#include "graph/forward_links.h"

#include <algorithm>

#include "engine/base/mutex.h"
#include "graph/copies.h"
#include "graph/cycle_guard.h"
#include "graph/link_list.h"
#include "graph/search_layer.h"
#include "graph/select_links.h"
#include "graph/trees.h"

namespace vicinal::graph {

namespace {

// Counts for search_layer(): what a new node may link to, if need be.
struct NotCondemned {
  const GraphState& g;
  const Topology& t;

  bool every(const std::uint64_t* /*entries*/, std::size_t /*count*/) const { return false; }
  bool operator()(NodeId node) const {
    return linkable(g, t, node) || g.state(node) == NodeState::kTombstone;
  }
  bool enough() const { return false; }
};

// Counts for search_layer(): every node does, and a copy of the new one that it may link to is
// enough.
class UntilCopy {
 public:
  UntilCopy(const GraphState& g, const Topology& t, NodeId node, float self)
      : g_(g), t_(t), node_(node), self_(kernels::pool_entry(0, self)) {}

  // They ascend: hardly ever one is as near as a copy is.
  bool every(const std::uint64_t* entries, std::size_t count) {
    for (std::size_t i = 0; i < count && entries[i] >> 32 <= self_ >> 32; ++i) {
      if (CandidatePool::as_far(entries[i], self_)) look_at(CandidatePool::node_of(entries[i]));
    }
    return true;
  }
  bool operator()(NodeId node) {
    look_at(node);
    return true;
  }
  bool enough() const { return found_ != kNoNode; }
  NodeId found() const { return found_; }

 private:
  void look_at(NodeId other) {
    if (same_value(g_, node_, other) && linkable(g_, t_, other)) found_ = other;
  }

  const GraphState& g_;
  const Topology& t_;
  const NodeId node_;
  const std::uint64_t self_;  ///< how far a copy is
  NodeId found_ = kNoNode;
};

// What a new node may link to at one level, each nearest first.
struct Candidates {
  internal::Vector<LinkCandidate> healthy;
  internal::Vector<LinkCandidate> tombstones;  ///< those that are nearer than every healthy one
  bool crowded = false;                        ///< few were healthy: `healthy` holds tombstones too
  NodeId copy = kNoNode;                       ///< a healthy one that is a copy (copies.h)
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

// The uppermost of `copy` and those that it hangs from that `node` may link to, and the links of the
// uppermost of all, in scratch.pool: what was found for a copy has been found for `node`.
NodeId take_links_of_copy(const GraphState& g, const Topology& t, NodeId node, NodeId copy,
                          float self, Level level, Scratch& scratch) {
  NodeId top = copy;
  for (CycleGuard guard; !guard.repeats(top) && hangs_from_copy(g, t, top, level);) {
    top = parent_of(t, top, level);
    if (linkable(g, t, top)) copy = top;
  }
  LinkList list(g, top, level, scratch);
  list.load(t);
  scratch.pool.reset(list.entries().size() + 1);
  scratch.pool.insert(self, copy);
  for (const LinkList::Entry& e : list.entries()) {
    const NodeId other = e.neighbor.node;
    if (other != node && other != copy) scratch.pool.insert(e.neighbor.distance, other);
  }
  return copy;
}

// Never empty while the entry point is healthy (G9 rests on that).
Candidates find_candidates(const GraphState& g, const Topology& t, const Scorer& score,
                           const Scorer& walk, NodeId node, EntryPoint entry, NodeId& from,
                           Level level, Scratch& scratch) {
  const std::size_t ef = g.config.ef_construction;
  const Neighbor start{walk(from), from};
  Candidates c;
  // Expanding only the nearer half of what is far from the M-th nearest took an eighth less time
  // and, at a million rows of 384 dimensions, 0.009 of the recall at ef 80.
  UntilCopy until(g, t, node, walk(node));
  if (t.block(node, level) == nullptr) {
    search_layer(g, t, walk, start, WalkWidth{.ef = ef}, level, node, until, scratch);
  } else {  // it looks anew
    search_layer(g, t, walk, start, ef, level, node, scratch);
  }
  if (until.enough()) {
    c.copy = take_links_of_copy(g, t, node, until.found(), score(node), level, scratch);
    from = c.copy;
  } else if (scratch.pool.size() > 0) {
    refine(walk, score, scratch);
    from = scratch.pool[0].node;
  }
  sort_out(g, t, scratch.pool, c);
  if (!c.healthy.empty()) return c;
  // Farther, through what is condemned: some thirty distances for each of 16 ef nodes.
  const WalkWidth farther{.ef = ef, .others = ef * 16, .distances = std::uint64_t{ef} * 16 * 30};
  search_layer(g, t, walk, Neighbor{walk(from), from}, farther, level, node, NotCondemned{g, t},
               scratch);
  refine(walk, score, scratch);
  sort_out(g, t, scratch.pool, c);
  if (c.healthy.empty() && entry.node != node && g.state(entry.node) != NodeState::kCondemned) {
    c.healthy.push_back({{score(entry.node), entry.node}, false});
  }
  return c;
}

// Of copies the first is linked to, which all others meet.
void turn_to_first(const GraphState& g, const Topology& t, NodeId node, Level level,
                   std::span<LinkCandidate> links) {
  for (LinkCandidate& l : links) {
    const NodeId first = first_of_copies(g, t, l.neighbor.node, level);
    const auto present = [&](const LinkCandidate& o) { return o.neighbor.node == first; };
    if (first == l.neighbor.node || first == node || !linkable(g, t, first) ||
        std::any_of(links.begin(), links.end(), present)) {
      continue;
    }
    l.neighbor.node = first;
  }
}

void choose_links(const GraphState& g, const Topology& t, NodeId node, Candidates& c,
                  ForwardLinks& forward, Scratch& scratch) {
  forward.crowded = c.crowded;
  forward.copy = c.copy != kNoNode;
  forward.links.clear();
  for (LinkCandidate& l : c.healthy) l.needed = l.neighbor.node == c.copy;
  c.healthy.resize(select_links(g, node, c.healthy, g.config.M, scratch));
  if (!forward.copy) turn_to_first(g, t, node, forward.level, c.healthy);
  const auto copy = std::find_if(c.healthy.begin(), c.healthy.end(),
                                 [](const LinkCandidate& l) { return l.needed; });
  if (copy != c.healthy.end()) std::rotate(c.healthy.begin(), copy, copy + 1);
  const std::size_t few =
      std::min<std::size_t>(g.config.M / 4, g.max_links(forward.level) - c.healthy.size());
  c.tombstones.resize(select_links(g, node, c.tombstones, few, scratch));
  for (const LinkCandidate& l : c.healthy) forward.links.push_back(l.neighbor);
  for (const LinkCandidate& l : c.tombstones) forward.links.push_back(l.neighbor);
}

}  // namespace

Approach approach(const GraphState& g, const Topology& t, NodeId node, EntryPoint entry,
                  Scratch& scratch) {
  Approach a;
  a.entry = entry;
  a.level = std::min(g.level(node), entry.level);
  a.start = entry.node;
  if (entry.level == a.level) return a;
  const Scorer score = Scorer::for_node(g, node, Scorer::Side::kMain, scratch).for_walk(scratch);
  Neighbor start{score(entry.node), entry.node};
  // Not more broadly, as searches do: what came to the wrong cluster links it to the right one
  // (mix, a million rows: 18 queries in 3,000 found nothing right at ef 80, not 7, where inserts
  // descended like searches).
  for (Level level = entry.level; level > a.level; --level) {
    start = descend(g, t, score, start, level, level - 1, 1, scratch).nearest();
    if (level <= a.passed.size()) a.passed[a.passed.size() - level] = start.node;
  }
  a.start = start.node;
  return a;
}

void find_forward_links(const GraphState& g, const Topology& t, NodeId node, const Approach& a,
                        Level low, Scratch& scratch, internal::Vector<ForwardLinks>& out) {
  const Scorer score = Scorer::for_node(g, node, Scorer::Side::kMain, scratch);
  const Scorer walk = score.for_walk(scratch);
  const EntryPoint entry = a.entry;
  NodeId start = a.start;
  out.clear();
  out.resize(a.level - low + 1);
  for (Level level = a.level + 1; level-- > low;) {
    Candidates found = find_candidates(g, t, score, walk, node, entry, start, level, scratch);
    ForwardLinks& forward = out[level - low];
    forward.level = level;
    choose_links(g, t, node, found, forward, scratch);
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
  const internal::MutexLock lock(g.linking->crowded_mutex);
  g.linking->crowded.push_back(node);
}

}  // namespace vicinal::graph
