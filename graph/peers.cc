#include "graph/peers.h"

#include <algorithm>

#include "graph/copies.h"
#include "graph/forward_links.h"
#include "graph/link_list.h"
#include "graph/linking.h"
#include "graph/scorer.h"
#include "graph/select_links.h"

namespace vicinal::graph {

void choose_peers(const GraphState& g, const Topology& t, NodeId node,
                  std::span<const NodeId> others, internal::Vector<Neighbor>& links,
                  internal::Vector<Neighbor>& peers, Scratch& scratch) {
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
      select_links(g, node, candidates, std::min<std::size_t>(limit, g.max_links(0)), scratch));
  for (const LinkCandidate& c : candidates) {
    if (!present(c.neighbor.node)) peers.push_back(c.neighbor);
  }
  if (peers.empty()) return;
  internal::Vector<Neighbor> kept;
  for (const Neighbor& n : links) {
    const auto same = [&](const LinkCandidate& c) { return c.neighbor.node == n.node; };
    if (std::any_of(candidates.begin(), candidates.end(), same)) kept.push_back(n);
  }
  links.swap(kept);
}

void link_to_peers(GraphState& g, Topology& t, NodeId node, std::span<const NodeId> others,
                   Scratch& scratch) {
  if (others.empty()) return;
  LinkList list(g, node, 0, scratch);
  if (!list.load(t)) return;
  internal::Vector<Neighbor> present;
  for (const LinkList::Entry& e : list.entries()) present.push_back(e.neighbor);
  internal::Vector<Neighbor> peers;
  choose_peers(g, t, node, others, present, peers, scratch);
  add_links_both_ways(g, t, node, 0, peers, scratch);
}

void look_for_links_anew(GraphState& g, Topology& t, NodeId node, Scratch& scratch) {
  const EntryPoint entry = t.entry_point();
  if (entry.node == kNoNode) return;
  internal::Vector<ForwardLinks> levels;
  find_forward_links(g, t, node, approach(g, t, node, entry, scratch), 0, scratch, levels);
  for (const ForwardLinks& forward : levels) {
    if (hangs_from_copy(g, t, node, forward.level)) continue;  // others have its links
    add_links_both_ways(g, t, node, forward.level, forward.links, scratch);
  }
}

}  // namespace vicinal::graph
