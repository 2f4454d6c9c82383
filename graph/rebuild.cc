// Rebuild: a fresh topology of all visible nodes beside the present one.
#include "graph/rebuild.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "engine/base/mutex.h"
#include "engine/base/step_hook.h"
#include "graph/build.h"
#include "graph/flat.h"
#include "graph/graph.h"
#include "graph/graph_state.h"
#include "graph/insert.h"
#include "graph/visibility.h"

namespace vicinal::graph {
namespace {

// A rebuild under way: what it has announced, and the topology that is coming.
class Rebuild {
 public:
  explicit Rebuild(GraphState& g) : g_(g) {
    const internal::MutexLock lock(g.linking->linked_meanwhile_mutex);
    g.linking->linked_meanwhile.clear();
    g.linking->rebuilding.store(true);
  }
  ~Rebuild() {
    g_.linking->rebuilding.store(false);
    {
      const internal::MutexLock slots(g_.slots_mutex);
      g_.linking->coming.store(nullptr, std::memory_order_release);
    }
    if (fresh_ == nullptr) return;  // swapped in
    wait_for_linkers();             // one may be linking in it
    const WriteGate::Inside change(g_.write_gate);
    const Visibility::Step step(g_.visibility);
    for (const NodeId node : left_out_) g_.set_state(node, NodeState::kTombstone);
  }
  Rebuild(const Rebuild&) = delete;
  Rebuild& operator=(const Rebuild&) = delete;

  std::unique_ptr<Topology>& fresh() { return fresh_; }
  /// Tombstones condemned because the fresh topology lacks them; tombstones again if it fails.
  internal::Vector<NodeId>& left_out() { return left_out_; }

  /// Until whoever links has seen what was announced before the call.
  void wait_for_linkers() const {
    const std::uint64_t tag = g_.linking->linkers.tag();
    while (!g_.linking->linkers.gone(tag))
      std::this_thread::sleep_for(std::chrono::microseconds(100));
  }

 private:
  GraphState& g_;
  std::unique_ptr<Topology> fresh_;
  internal::Vector<NodeId> left_out_;
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

// Under the lock: when it is coming, whoever adds nodes grows it too.
void grow_for_all_slots(GraphState& g, Topology& fresh) {
  const internal::MutexLock slots(g.slots_mutex);
  fresh.grow(g.next_slot.load());
}

// Whether `fresh` is to have it. Tombstones are looked at in the end (leave_out_tombstones).
bool wanted_in(const GraphState& g, const Topology& fresh, NodeId node) {
  const NodeState s = g.state(node);
  return (s == NodeState::kLive || s == NodeState::kPending) && !fresh.linked(node);
}

std::vector<NodeId> take_linked_meanwhile(GraphState& g, Topology& fresh) {
  internal::Vector<NodeId> taken;
  {
    const internal::MutexLock lock(g.linking->linked_meanwhile_mutex);
    taken.swap(g.linking->linked_meanwhile);
  }
  grow_for_all_slots(g, fresh);  // before it is asked about nodes added meanwhile
  std::vector<NodeId> nodes;
  for (const NodeId node : taken) {
    if (wanted_in(g, fresh, node)) nodes.push_back(node);
  }
  return nodes;
}

void link_all(GraphState& g, Topology& t, std::span<const NodeId> nodes) {
  for (const NodeId node : nodes) {
    const BorrowedScratch scratch(g.scratches);
    if (!t.linked(node)) link_node(g, t, node, nullptr, *scratch);
  }
}

void link_wanted(GraphState& g, Topology& fresh, std::span<const NodeId> nodes) {
  for (const NodeId node : nodes) {
    if (wanted_in(g, fresh, node)) link_all(g, fresh, {&node, 1});
  }
}

// Until nothing is left, or more than half as much as before: writers that are as fast would never
// be caught. What is left follows when they link twice.
std::vector<NodeId> catch_up(GraphState& g, Topology& fresh) {
  std::vector<NodeId> late = take_linked_meanwhile(g, fresh);
  for (std::size_t most = late.size(); !late.empty() && late.size() <= most; most /= 2) {
    link_wanted(g, fresh, late);
    late = take_linked_meanwhile(g, fresh);
  }
  return late;
}

// From now on what is linked is linked in `fresh` too; what was linked in the old one alone,
// `late` of it, follows.
void catch_up_for_good(GraphState& g, const Rebuild& rebuild, Topology& fresh,
                       std::span<const NodeId> late) {
  {
    const internal::MutexLock slots(g.slots_mutex);
    fresh.grow(g.next_slot.load());
    g.linking->coming.store(&fresh, std::memory_order_release);
  }
  rebuild.wait_for_linkers();
  link_wanted(g, fresh, late);
  link_wanted(g, fresh, take_linked_meanwhile(g, fresh));
}

// Of all slots, a few at a time, so that no step waits long: condemns the tombstones that `fresh`
// lacks, so that no resurrection brings them back without links, and links the live ones that it
// lacks: they were resurrected meanwhile, and may be tombstones again when they are linked.
void leave_out_tombstones(GraphState& g, Topology& fresh, internal::Vector<NodeId>& left_out) {
  constexpr std::uint64_t kAtOnce = 4096;
  const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
  std::vector<NodeId> wanted;
  for (std::uint64_t first = 0; first < limit; first += kAtOnce) {
    left_out.reserve(left_out.size() + kAtOnce);
    wanted.reserve(wanted.size() + kAtOnce);
    const WriteGate::Inside change(g.write_gate);
    const Visibility::Step step(g.visibility);
    for (std::uint64_t i = first; i < std::min(limit, first + kAtOnce); ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      const NodeState s = g.state(node);
      if (s == NodeState::kFree || s == NodeState::kPending || fresh.linked(node)) continue;
      if (s == NodeState::kLive || g.visibility.pinned(node)) {
        wanted.push_back(node);
      } else if (s == NodeState::kTombstone) {  // what a repair pass has condemned follows
        g.set_state(node, NodeState::kCondemned);
        left_out.push_back(node);
      }
    }
  }
  link_all(g, fresh, wanted);
}

// Readers may still walk in the old one, and linkers link in it: it stays until they have left.
void swap_in(GraphState& g, std::unique_ptr<Topology>& fresh, Topology* old,
             internal::Vector<NodeId>& left_out) VICINAL_REQUIRES(g.maintenance_mutex) {
  const WriteGate::Inside change(g.write_gate);
  const internal::MutexLock slots(g.slots_mutex);
  const std::vector<NodeId>& condemned = g.repair_pass().condemned;  // by a pass that ends here
  left_out.reserve(left_out.size() + condemned.size());
  g.left_topologies().reserve(g.left_topologies().size() + 1);  // nothing fails from here on
  left_out.insert(left_out.end(), condemned.begin(), condemned.end());
  for (const NodeId node : left_out) fresh->mark_changed(node);
  VICINAL_STEP_POINT("rebuild.swap");
  g.topology.store(fresh.release(), std::memory_order_release);
  g.left_topologies().push_back(
      {std::unique_ptr<Topology>(old), std::move(left_out), g.epochs.retire_tag()});
  g.linking->topologies_left.store(true, std::memory_order_release);
  g.repair_pass() = {};  // what a pass had condemned is left out
}

}  // namespace

void note_linked(GraphState& g, std::span<const NodeId> nodes) {
  if (!g.linking->rebuilding.load(std::memory_order_relaxed)) return;
  const internal::MutexLock lock(g.linking->linked_meanwhile_mutex);
  g.linking->linked_meanwhile.insert(g.linking->linked_meanwhile.end(), nodes.begin(), nodes.end());
}

Status Graph::rebuild(unsigned threads, const StepCallback& step, std::span<const NodeId> also) {
  GraphState& g = *state_;
  if (flat() && step && !step(0, live())) {
    return Status::cancelled("rebuild cancelled; the graph is as it was");
  }
  if (RepairResult left_out; repair_flat(g, left_out)) return {};
  const internal::MutexLock maintenance(g.maintenance_mutex);
  Rebuild rebuild(g);
  rebuild.wait_for_linkers();
  Topology* const old = g.topology.load();
  const std::vector<NodeId> nodes = nodes_to_keep(g, *old, also);
  std::unique_ptr<Topology>& fresh = rebuild.fresh();
  fresh = std::make_unique<Topology>(g.epochs);
  graph::begin_linking(*fresh);
  grow_for_all_slots(g, *fresh);  // after the look at the nodes: it must hold all of them
  if (!link_nodes(g, fresh.get(), nodes, std::max(threads, 1u), {}, step)) {
    return Status::cancelled("rebuild cancelled; the graph is as it was");
  }
  const std::vector<NodeId> late = catch_up(g, *fresh);
  catch_up_for_good(g, rebuild, *fresh, late);
  leave_out_tombstones(g, *fresh, rebuild.left_out());
  swap_in(g, fresh, old, rebuild.left_out());
  g.sketch_trial.begin_anew();
  try_sketches(g, nodes, threads);
  return {};
}

}  // namespace vicinal::graph
