// Adding: slots are taken, and filled with what nobody can reach yet.
#include <algorithm>
#include <string>

#include "engine/base/check.h"
#include "engine/base/mutex.h"
#include "graph/flat.h"
#include "graph/graph.h"
#include "graph/graph_state.h"
#include "graph/placement.h"

namespace vicinal::graph {

namespace {

// Takes as many slots as `taken` is long; none on an error or when memory runs out. `fill` is called
// for each of them, under the lock, if the graph is flat (G15); returns whether it was.
template <typename Fill>
Result<bool> take_slots(GraphState& g, std::span<NodeId> taken, const Fill& fill) {
  const WriteGate::Inside change(g.write_gate);
  const internal::MutexLock lock(g.slots_mutex);
  g.reclaim_slots();
  const std::size_t reused = std::min(taken.size(), g.free_slots.size());
  const std::uint64_t next = g.next_slot.load(std::memory_order_relaxed);
  const std::uint64_t limit = next + (taken.size() - reused);
  if (limit > kMaxNodes) {
    return Status::full("an index holds at most " + std::to_string(kMaxNodes) + " nodes");
  }
  g.grow(limit);
  for (std::size_t i = 0; i < reused; ++i) {
    taken[i] = g.free_slots.back();
    g.free_slots.pop_back();
  }
  for (std::size_t i = reused; i < taken.size(); ++i) {
    taken[i] = NodeId{static_cast<std::uint32_t>(next + (i - reused))};
  }
  const bool flat = g.flat.load(std::memory_order_relaxed);
  if (flat) {
    for (std::size_t i = 0; i < taken.size(); ++i) fill(i);
  }
  g.next_slot.store(limit, std::memory_order_release);
  return flat;
}

void fill_slot(GraphState& g, NodeId node, const Graph::NewNode& n, Scratch& scratch) {
  g.write_payload(node, n.label, g.draw_level(n.label), n.row, scratch);
  g.visibility.begin_life(node, n.replaced);
  g.set_state(node, NodeState::kPending);
}

}  // namespace

Result<NodeId> Graph::add_node(Label label, const std::byte* row, NodeId replaced) {
  GraphState& g = *state_;
  // All that can throw comes before a slot is taken.
  const BorrowedScratch scratch(g.scratches);
  g.make_room(*scratch);
  NodeId node = kNoNode;
  const auto fill = [&](std::size_t) { fill_slot(g, node, {label, row, replaced}, *scratch); };
  const Result<bool> filled = take_slots(g, std::span(&node, 1), fill);
  if (!filled) return filled.status();
  if (!*filled) fill(0);
  return node;
}

namespace {

// Below it, hardly two of a batch are so near each other that a walk meets both.
constexpr std::size_t kWorthPlacing = 4096;
// At most as many at a time: pages are cleared by who touches them first, and two threads in one
// huge page would both clear it.
constexpr std::size_t kShare = 8192;

// Deals the slots of `taken`, in ascending order, out among the nodes by nearness; returns the
// nodes in the order of their slots. Writes to the slots, but nothing that lasts.
internal::Vector<std::uint32_t> deal_slots(GraphState& g, std::span<const Graph::NewNode> nodes,
                                           std::span<NodeId> taken,
                                           const internal::Workers& workers) {
  std::sort(taken.begin(), taken.end());
  workers.for_each(nodes.size(), kShare, [&](std::size_t i) {
    const BorrowedScratch scratch(g.scratches);
    g.write_node(taken[i], nodes[i].label, 0);
    g.write_comparable(taken[i], nodes[i].row, *scratch);
  });
  internal::Vector<std::uint32_t> order = order_by_nearness(g, taken, workers);
  const internal::Vector<NodeId> slots(taken.begin(), taken.end());
  for (std::size_t i = 0; i < order.size(); ++i) taken[order[i]] = slots[i];
  return order;
}

}  // namespace

Result<std::vector<NodeId>> Graph::add_nodes(std::span<const NewNode> nodes, unsigned threads) {
  GraphState& g = *state_;
  std::vector<NodeId> taken(nodes.size(), kNoNode);
  {
    const BorrowedScratch scratch(g.scratches);
    g.make_room(*scratch);
    const Result<bool> filled =
        take_slots(g, taken, [&](std::size_t i) { fill_slot(g, taken[i], nodes[i], *scratch); });
    if (!filled) return filled.status();
    if (*filled) return taken;
  }
  const internal::Workers workers = g.workers(threads);
  try {
    internal::Vector<std::uint32_t> by_slot;
    if (nodes.size() >= kWorthPlacing) by_slot = deal_slots(g, nodes, taken, workers);
    workers.for_each(nodes.size(), kShare, [&](std::size_t index) {
      const std::size_t i = by_slot.empty() ? index : by_slot[index];
      const BorrowedScratch scratch(g.scratches);
      fill_slot(g, taken[i], nodes[i], *scratch);
    });
  } catch (...) {
    discard_nodes(taken);
    throw;
  }
  return taken;
}

void Graph::discard_nodes(std::span<const NodeId> nodes) noexcept {
  GraphState& g = *state_;
  const WriteGate::Inside change(g.write_gate);
  const internal::MutexLock lock(g.slots_mutex);
  const Topology& t = *g.topology.load(std::memory_order_acquire);  // not replaced under the lock
  for (const NodeId node : nodes) {
    VICINAL_CHECK(!t.linked(node));
    g.backlog.leave(node);
  }
  g.leave_slots(nodes);
}

void Graph::reserve(std::uint64_t count) {
  GraphState& g = *state_;
  const std::uint64_t limit = std::min<std::uint64_t>(count, kMaxNodes);
  const WriteGate::Inside change(g.write_gate);
  const internal::MutexLock lock(g.slots_mutex);
  // A flat graph takes memory for what it has only.
  if (!g.flat.load(std::memory_order_relaxed) || !fits_flat(g.config, limit)) g.grow(limit);
}

}  // namespace vicinal::graph
