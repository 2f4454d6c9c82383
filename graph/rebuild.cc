// Rebuild: a fresh topology of all visible nodes beside the present one.
#include <mutex>
#include <shared_mutex>

#include "graph/graph.h"
#include "graph/graph_state.h"
#include "graph/linking.h"
#include "graph/step_hook.h"
#include "graph/visibility.h"

namespace vicinal::graph {
namespace {

// Clears GraphState::rebuilding however the rebuild ends.
class RebuildMark {
 public:
  explicit RebuildMark(GraphState& g) : g_(g) {
    const std::unique_lock gate(g.gate);
    g.linked_meanwhile.clear();
    g.rebuilding.store(true);
  }
  ~RebuildMark() { g_.rebuilding.store(false); }
  RebuildMark(const RebuildMark&) = delete;
  RebuildMark& operator=(const RebuildMark&) = delete;

 private:
  GraphState& g_;
};

// Nodes that the fresh topology must have: visible ones, and those that are about to be shown: they
// are linked, or in `also`.
std::vector<NodeId> nodes_to_keep(const GraphState& g, const Topology& t,
                                  std::span<const NodeId> also) {
  std::vector<NodeId> nodes(also.begin(), also.end());
  const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    const NodeState s = g.state(node);
    if (s == NodeState::kLive || (s == NodeState::kPending && t.linked(node)))
      nodes.push_back(node);
  }
  return nodes;
}

std::vector<NodeId> take_linked_meanwhile(GraphState& g, Topology& fresh) {
  internal::Vector<NodeId> taken;
  {
    const std::lock_guard lock(g.linked_meanwhile_mutex);
    taken.swap(g.linked_meanwhile);
  }
  fresh.grow(g.next_slot.load());  // before it is asked about nodes added meanwhile
  std::vector<NodeId> nodes;
  for (const NodeId node : taken) {
    if (!fresh.linked(node) && g.state(node) != NodeState::kFree) nodes.push_back(node);
  }
  return nodes;
}

// Condemns, in one look at all states, the tombstones that `fresh` lacks, so that no resurrection
// can bring them back without links; returns the nodes that it lacks and must have.
std::vector<NodeId> settle(GraphState& g, const Topology& fresh, const Topology& old,
                           std::vector<NodeId>& left_out) {
  const Visibility::Step step(g.visibility);
  std::vector<NodeId> wanted;
  for (const NodeId node : nodes_to_keep(g, old, {})) {
    if (!fresh.linked(node)) wanted.push_back(node);
  }
  const std::uint64_t limit = g.next_slot.load();
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    const NodeState s = g.state(node);
    if (s != NodeState::kTombstone && s != NodeState::kCondemned) continue;
    if (fresh.linked(node)) continue;
    if (!old.linked(node) && s == NodeState::kCondemned) continue;  // repair has handed it out
    g.set_state(node, NodeState::kCondemned);
    left_out.push_back(node);
  }
  return wanted;
}

// With the gate held alone: the last nodes, then the swap.
void swap_in(GraphState& g, std::unique_ptr<Topology>& fresh, const Topology& old,
             std::vector<NodeId>& left_out) {
  const auto link_all = [&](const std::vector<NodeId>& nodes) {
    const BorrowedScratch scratch(g.scratches);
    for (const NodeId node : nodes) link_node(g, *fresh, node, nullptr, *scratch);
  };
  link_all(take_linked_meanwhile(g, *fresh));
  {
    // No slot may be added while the fresh topology is asked about all of them.
    const std::lock_guard slots(g.slots_mutex);
    fresh->grow(g.next_slot.load());
    left_out.reserve(g.next_slot.load());
  }
  link_all(settle(g, *fresh, old, left_out));
  // Nor between growing the fresh topology and making it the one that add_node grows.
  const std::lock_guard slots(g.slots_mutex);
  fresh->grow(g.next_slot.load());
  for (const NodeId node : left_out) fresh->mark_changed(node);
  VICINAL_STEP_POINT("rebuild.swap");
  g.topology.store(fresh.release(), std::memory_order_release);
}

}  // namespace

Status Graph::rebuild(unsigned threads, const StepCallback& step, std::span<const NodeId> also) {
  GraphState& g = *state_;
  const std::unique_lock maintenance(g.maintenance_mutex, std::try_to_lock);
  if (!maintenance.owns_lock()) return Status::busy("another rebuild or repair is running");
  const RebuildMark mark(g);
  Topology* const old = g.topology.load();
  const std::vector<NodeId> nodes = nodes_to_keep(g, *old, also);
  auto fresh = std::make_unique<Topology>(g.epochs);
  fresh->grow(g.next_slot.load());  // after the look at the nodes: it must hold all of them
  if (!link_nodes(g, fresh.get(), nodes, std::max(threads, 1u), {}, step)) {
    return Status::cancelled("rebuild cancelled; the graph is as it was");
  }
  // Catch up with the writers until little is left, so that the gate is held alone but briefly.
  for (int round = 0; round < 8; ++round) {
    const std::vector<NodeId> late = take_linked_meanwhile(g, *fresh);
    if (late.empty()) break;
    const BorrowedScratch scratch(g.scratches);
    for (const NodeId node : late) link_node(g, *fresh, node, nullptr, *scratch);
  }
  std::vector<NodeId> left_out;
  {
    const std::unique_lock gate(g.gate);
    swap_in(g, fresh, *old, left_out);
    g.rebuilding.store(false);
  }
  g.repair_pass = {};  // what a pass had condemned is left out
  const std::lock_guard lock(g.slots_mutex);
  // Readers may still walk in the old one; whoever needs a slot or repairs looks again.
  g.left_topologies.push_back({std::unique_ptr<Topology>(old), g.epochs.retire_tag()});
  g.unlinked_slots.insert(g.unlinked_slots.end(), left_out.begin(), left_out.end());
  g.reclaim();
  return {};
}

}  // namespace vicinal::graph
