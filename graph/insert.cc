// Algorithm 1: one node is linked, at once or by a plan made before.
#include "graph/insert.h"

#include <array>
#include <memory>
#include <new>
#include <utility>

#include "graph/graph.h"
#include "graph/linking.h"
#include "graph/peers.h"
#include "graph/rebuild.h"

namespace vicinal::graph {
namespace {

void link_back(GraphState& g, Topology& t, NodeId node, const ForwardLinks& forward,
               Scratch& scratch) {
  if (forward.links.empty()) return;
  bool has_parent = false;
  for (const Neighbor& n : forward.links) {
    if (forward.copy) break;  // it hangs among its copies, and nothing links back
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

void link_node(GraphState& g, Topology& t, NodeId node, LinkPlan* plan, Scratch& scratch) {
  std::uint64_t before = plan != nullptr ? plan->noted_before : t.recently_linked().count();
  link_once(g, t, node, plan, scratch);
  t.recently_linked().note(node);
  internal::Vector<NodeId> meanwhile;
  while (!t.recently_linked().since(before, meanwhile) || meanwhile.size() > kFewOthers) {
    before = t.recently_linked().count();
    look_for_links_anew(g, t, node, scratch);
  }
  link_to_peers(g, t, node, meanwhile, scratch);
}

std::shared_ptr<LinkPlan> Graph::plan_link(NodeId node) const {
  GraphState& g = *state_;
  if (flat()) return nullptr;
  const BorrowedScratch scratch(g.scratches);
  auto plan = std::make_shared<LinkPlan>();
  plan->condemnations = g.linking->condemnations.load(std::memory_order_acquire);
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
  const WriteGate::Inside change(g.write_gate);
  const Linkers::Inside scratch(g.scratches);
  // In this order: who misses what is coming because it is present already sees it as that.
  Topology* const coming = g.linking->coming.load(std::memory_order_acquire);
  Topology& t = *g.topology.load(std::memory_order_acquire);
  if (coming != nullptr && coming != &t) link_node(g, *coming, node, nullptr, *scratch);
  // Nothing that the plan names was condemned since, or is condemned only by a pass that waits for
  // this link: so no slot was reused.
  const bool good =
      plan != nullptr && plan->topology == t.serial() &&
      plan->condemnations == g.linking->condemnations.load(std::memory_order_acquire) &&
      t.recently_linked().count() - plan->noted_before <= kFewOthers;
  link_node(g, t, node, good ? plan : nullptr, *scratch);
  note_linked(g, std::span(&node, 1));
}

}  // namespace

void Graph::link(NodeId node, const std::shared_ptr<LinkPlan>& plan) noexcept {
  if (flat()) return;  // linking, when it begins, finds it
  try {
    link_wherever(*state_, node, plan.get());
    try_sketches(*state_, std::span(&node, 1), 1);
  } catch (const std::bad_alloc&) {
    state_->backlog.join(node);
  }
}

void Graph::link_missing(std::span<const NodeId> nodes) noexcept {
  if (flat()) return;
  for (const NodeId node : nodes) {
    try {
      // Somebody else may be at what stands in the backlog.
      if (!linked(node) && !in_backlog(node)) link_wherever(*state_, node, nullptr);
    } catch (const std::bad_alloc&) {
      state_->backlog.join(node);
    }
  }
}

}  // namespace vicinal::graph
