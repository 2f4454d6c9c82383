// Algorithm 1: one node is linked.
#include <algorithm>
#include <array>

#include "engine/check.h"
#include "graph/link_list.h"
#include "graph/linking.h"
#include "graph/search_layer.h"
#include "graph/select_links.h"

namespace vicinal::graph {
namespace {

bool linkable(NodeState s) { return s == NodeState::kLive || s == NodeState::kPending; }

// The nodes of `pool` that may be linked to, nearest first. Tombstones only where nothing else was
// found: they will be unlinked again.
internal::Vector<LinkCandidate> linkable_among(const GraphState& g, const CandidatePool& pool) {
  internal::Vector<LinkCandidate> candidates;
  candidates.reserve(pool.size());
  for (const bool tombstones : {false, true}) {
    for (std::size_t i = 0; i < pool.size(); ++i) {
      const Neighbor n = pool[i];
      const NodeState s = g.state(n.node);
      if (tombstones ? s == NodeState::kTombstone : linkable(s)) candidates.push_back({n, false});
    }
    if (!candidates.empty()) break;
  }
  return candidates;
}

// What a node may link to at `level`: the layer search's nodes, or, where tombstones crowd out the
// others, those of a search that counts only the others. Never empty while the entry point is
// healthy (G9 rests on that).
internal::Vector<LinkCandidate> find_candidates(const GraphState& g, const Topology& t,
                                                const Scorer& score, NodeId node, EntryPoint entry,
                                                Neighbor& start, Level level, Scratch& scratch) {
  const std::size_t ef = g.config.ef_construction;
  search_layer(g, t, score, start, ef, level, node, scratch);
  if (scratch.pool.size() > 0) start = scratch.pool[0];
  const std::size_t met = scratch.pool.size();
  internal::Vector<LinkCandidate> candidates = linkable_among(g, scratch.pool);
  if (candidates.size() >= std::min<std::size_t>(g.config.M, met)) return candidates;
  const auto accept = [&](NodeId n) { return n != node && linkable(g.state(n)); };
  search_layer_accepting(g, t, score, start, ef, ef * 16, level, accept, scratch);
  if (scratch.best.size() > candidates.size()) candidates = linkable_among(g, scratch.best);
  if (candidates.empty() && entry.node != node && g.state(entry.node) != NodeState::kCondemned) {
    candidates.push_back({{score(entry.node), entry.node}, false});
  }
  return candidates;
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
}

}  // namespace

void find_forward_links(const GraphState& g, const Topology& t, NodeId node, EntryPoint entry,
                        Level low, Level high, Scratch& scratch,
                        internal::Vector<ForwardLinks>& out) {
  const Scorer score = Scorer::for_node(g, node, Scorer::Side::kMain, scratch);
  high = std::min(high, entry.level);
  Neighbor start{score(entry.node), entry.node};
  start = descend(g, t, score, start, entry.level, high, scratch);
  out.clear();
  out.resize(high - low + 1);
  for (Level level = high + 1; level-- > low;) {
    internal::Vector<LinkCandidate> candidates =
        find_candidates(g, t, score, node, entry, start, level, scratch);
    candidates.resize(select_links(g, candidates, g.config.M, scratch));
    ForwardLinks& forward = out[level - low];
    forward.level = level;
    forward.links.clear();
    for (const LinkCandidate& c : candidates) forward.links.push_back(c.neighbor);
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

void link_node(GraphState& g, Topology& t, NodeId node, Scratch& scratch) {
  const Level level = g.level(node);
  t.make_upper(node, level);
  EntryPoint entry = t.entry_point();
  Level low = 0;  // levels below it are linked
  internal::Vector<ForwardLinks> forward;
  for (;;) {
    bool alone = entry.node == kNoNode;
    forward.clear();
    if (!alone && entry.level >= low) {
      find_forward_links(g, t, node, entry, low, level, scratch, forward);
      alone = low == 0 && forward.front().links.empty();
    }
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

}  // namespace vicinal::graph
