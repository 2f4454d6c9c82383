// The backlog is worked off: nodes whose linking ran out of memory, or was not begun, get their links.
#include "graph/link_backlog.h"

#include <mutex>
#include <new>

#include "graph/forward_links.h"
#include "graph/graph.h"
#include "graph/graph_state.h"
#include "graph/insert.h"
#include "graph/linking.h"
#include "graph/scorer.h"
#include "graph/trees.h"

namespace vicinal::graph {
namespace {

// What linking has left undone when it ran out of memory: levels without a list, a parent that does
// not know its child. What is there stays: others may hang from it.
void complete_links(GraphState& g, Topology& t, NodeId node, Scratch& scratch) {
  const EntryPoint entry = t.entry_point();
  internal::Vector<ForwardLinks> levels;
  if (entry.node != kNoNode && entry.node != node) {
    find_forward_links(g, t, node, approach(g, t, node, entry, scratch), 0, scratch, levels);
  }
  t.make_upper(node, g.level(node));
  for (ForwardLinks& forward : levels) {
    // A pending node may still change its parent, perhaps to one below this.
    std::erase_if(forward.links, [&](const Neighbor& n) {
      return g.state(n.node) == NodeState::kPending || hangs_below(t, n.node, node, forward.level);
    });
    if (forward.links.empty() && !hangs_below(t, entry.node, node, forward.level)) {
      const Scorer score = Scorer::for_node(g, node, Scorer::Side::kMain, scratch);
      forward.links.push_back({score(entry.node), entry.node});
    }
    const bool fresh = t.block(node, forward.level) == nullptr;
    if (fresh) publish_forward_links(g, t, node, forward, scratch);
    const NodeId parent = parent_of(t, node, forward.level);
    if (parent == kNoNode || !is_child(t, parent, node, forward.level)) {
      find_parent(g, t, node, forward.level, forward.links, scratch);
    }
    add_links_both_ways(g, t, node, forward.level, forward.links, scratch);
    if (fresh) link_from(g, t, forward.links, node, forward.level, scratch);
  }
  for (Level level = static_cast<Level>(levels.size()); level <= g.level(node); ++level) {
    if (t.block(node, level) == nullptr) publish_forward_links(g, t, node, {level, {}}, scratch);
  }
  EntryPoint present = t.entry_point();
  while (present.node == kNoNode || (present.node != node && present.level < g.level(node))) {
    if (t.replace_entry_point(present, {node, g.level(node)})) break;
  }
}

}  // namespace

std::size_t Graph::link_backlog(std::size_t most) noexcept {
  GraphState& g = *state_;
  std::size_t linked = 0;
  if (g.backlog.empty()) return 0;
  try {
    // Alone with repair slices and rebuilds: parents move here, and one topology is linked in. Nor
    // may anybody be left who walks in an older one, in which the node would be met no more.
    if (!g.maintenance_mutex.try_lock()) return 0;
    const internal::MutexLock maintenance(g.maintenance_mutex, std::adopt_lock);
    if (!g.reclaim_topologies()) return 0;
    for (; linked < most && !g.backlog.empty(); ++linked) {
      const WriteGate::Inside change(g.write_gate);
      const Linkers::Inside scratch(g.scratches);
      // What is condemned leaves with its slot, what is pending is about to be shown by its writer.
      const NodeId node = g.backlog.first([&](NodeId n) {
        const NodeState s = g.state(n);
        return s == NodeState::kLive || s == NodeState::kTombstone;
      });
      if (node == kNoNode) break;
      Topology& t = *g.topology.load(std::memory_order_acquire);
      if (t.linked(node)) {
        complete_links(g, t, node, *scratch);
      } else {
        link_node(g, t, node, nullptr, *scratch);
      }
      g.backlog.leave(node);  // first: what stands in it has no links to store
      t.mark_changed(node);
    }
    // The write that began the linking comes here: what its rows were copied from can go.
    const internal::MutexLock lock(g.slots_mutex);
    g.reclaim_slots();
  } catch (const std::bad_alloc&) {
    // Another time.
  }
  return linked;
}

std::uint64_t Graph::backlog() const {
  std::uint64_t count = 0;
  const BorrowedScratch inside(state_->scratches);
  state_->backlog.for_each([&](NodeId) { ++count; });
  return count;
}

bool Graph::in_backlog(NodeId node) const { return state_->backlog.contains(node); }

}  // namespace vicinal::graph
