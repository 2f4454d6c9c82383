// Repair: tombstones are unlinked, in bounded slices, and their slots become free.
//
// A pass has five parts:
//   1. Every tombstone that is met is condemned: it takes no new links, is never resurrected, and
//      is not the entry point. Nothing more happens before all readers of that moment have left,
//      for whom it may count (G11), and all who were linking, who may link to it still.
//   2. Every node whose parent is condemned gets a healthy one, attached before the old one is left
//      (G9; relink.cc).
//   3. Every list with condemned links is made anew from its healthy links and those of its
//      condemned neighbors (relink.cc).
//   4. Once no reader is left that could stand on a condemned node, their lists go and their slots
//      are handed out by take_unlinked().
//   5. Nodes whose lists could not be filled again, or that were linked in a crowd of tombstones,
//      look for links anew in what is left.
#include <algorithm>

#include "engine/base/mutex.h"
#include "engine/base/step_hook.h"
#include "graph/flat.h"
#include "graph/graph.h"
#include "graph/graph_state.h"
#include "graph/peers.h"
#include "graph/relink.h"
#include "graph/visibility.h"

namespace vicinal::graph {
namespace {

using Phase = GraphState::RepairPass::Phase;

bool healthy_linked(const GraphState& g, const Topology& t, NodeId node) {
  const NodeState s = g.state(node);
  return s != NodeState::kFree && s != NodeState::kCondemned && t.linked(node);
}

// The highest node that is no tombstone and not condemned.
EntryPoint healthy_entry_point(const GraphState& g, const Topology& t) {
  EntryPoint best;
  const BorrowedScratch inside(g.scratches);  // no slot that is in use is filled anew meanwhile
  const std::uint64_t limit = g.next_slot.load(std::memory_order_acquire);
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    const NodeState s = g.state(node);
    if (s != NodeState::kLive && s != NodeState::kPending) continue;
    // The state first: a slot that is being filled has no level yet.
    if (best.node != kNoNode && g.level(node) <= best.level) continue;
    // Linked wholly: what stands in the backlog may lack its upper lists.
    if (t.linked(node) && t.block(node, g.level(node)) != nullptr) best = {node, g.level(node)};
  }
  return best;
}

// Before the entry point is condemned: or a link that begins there would find nobody to link to on
// some level, and make a tree of its own (G9). Where nothing healthy is there it stays until all
// are condemned, and goes then.
void leave_entry_point(GraphState& g, bool all_condemned) {
  Topology& t = *g.topology.load(std::memory_order_acquire);
  EntryPoint present = t.entry_point();
  while (present.node != kNoNode) {
    const NodeState s = g.state(present.node);
    if (s != NodeState::kTombstone && s != NodeState::kCondemned) return;
    const EntryPoint healthy = healthy_entry_point(g, t);
    if (healthy.node == kNoNode && !all_condemned) return;
    const WriteGate::Inside change(g.write_gate);
    if (t.replace_entry_point(present, healthy)) return;
  }
}

// Condemns the tombstones of a few slots, in one step: no resurrection comes between.
void condemn(GraphState& g, std::uint64_t first, std::uint64_t last)
    VICINAL_REQUIRES(g.maintenance_mutex) {
  GraphState::RepairPass& pass = g.repair_pass();
  pass.condemned.reserve(pass.condemned.size() + (last - first));
  const NodeId entry = g.topology.load(std::memory_order_acquire)->entry_point().node;
  if (entry != kNoNode && raw(entry) >= first && raw(entry) < last) leave_entry_point(g, false);
  const WriteGate::Inside change(g.write_gate);
  const Visibility::Step step(g.visibility);
  for (std::uint64_t i = first; i < last; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (g.state(node) != NodeState::kTombstone || g.visibility.pinned(node)) continue;
    g.set_state(node, NodeState::kCondemned);
    pass.condemned.push_back(node);
  }
}

// Begins a pass.
void begin_pass(GraphState& g) VICINAL_REQUIRES(g.maintenance_mutex) {
  GraphState::RepairPass& pass = g.repair_pass();
  pass = {};
  {
    const internal::MutexLock lock(g.linking->crowded_mutex);
    pass.underfull.assign(g.linking->crowded.begin(), g.linking->crowded.end());
    g.linking->crowded.clear();
  }
  if (g.tombstone_count.load(std::memory_order_relaxed) > 0) {
    pass.limit = g.next_slot.load(std::memory_order_acquire);
    pass.phase = Phase::kCondemn;
  } else if (!pass.underfull.empty()) {
    pass.phase = Phase::kLookAnew;
  }
}

// A part of condemning; returns how many were left of the budget.
std::uint64_t condemn_slice(GraphState& g, std::uint64_t budget, RepairResult& result)
    VICINAL_REQUIRES(g.maintenance_mutex) {
  constexpr std::uint64_t kSlots = 1024;  // looked at for the price of one node of a scan
  GraphState::RepairPass& pass = g.repair_pass();
  for (; budget > 0 && pass.cursor < pass.limit; --budget) {
    const std::uint64_t last = std::min(pass.limit, pass.cursor + kSlots);
    condemn(g, pass.cursor, last);
    pass.cursor = last;
    ++result.nodes_examined;
  }
  if (pass.cursor < pass.limit) return budget;
  pass.cursor = 0;
  if (pass.condemned.empty()) {
    pass.phase = Phase::kLookAnew;
    return budget;
  }
  leave_entry_point(g, true);
  // Before the tag: who links after it finds the plan void that he made before.
  g.linking->condemnations.fetch_add(1, std::memory_order_acq_rel);
  VICINAL_STEP_POINT("repair.condemned");
  pass.tag = g.epochs.retire_tag();
  pass.linkers_tag = g.linking->linkers.tag();
  pass.phase = Phase::kCondemned;
  return budget;
}

// One node of the scan that the pass is in.
void examine(GraphState& g, Topology& t, NodeId node, Scratch& scratch, RepairResult& result)
    VICINAL_REQUIRES(g.maintenance_mutex) {
  ++result.nodes_examined;
  if (!healthy_linked(g, t, node)) return;
  const WriteGate::Inside change(g.write_gate);
  if (g.repair_pass().phase == Phase::kReparent) {
    reparent(g, t, node, scratch);
  } else if (relink(g, t, node, scratch)) {
    ++result.nodes_relinked;
  }
}

// Takes the lists of condemned nodes: nothing names them any more and no reader stands on them.
// Returns how many were left of the budget.
std::uint64_t retire_slice(GraphState& g, std::uint64_t budget, RepairResult& result)
    VICINAL_REQUIRES(g.maintenance_mutex) {
  constexpr std::uint64_t kNodes = 8;  // for the price of one node of a scan
  GraphState::RepairPass& pass = g.repair_pass();
  Topology& t = *g.topology.load(std::memory_order_acquire);
  for (; budget > 0 && !pass.condemned.empty(); --budget) {
    const auto count = std::min<std::size_t>(kNodes, pass.condemned.size());
    const std::span<const NodeId> last = std::span(pass.condemned).last(count);
    const WriteGate::Inside change(g.write_gate);
    const internal::MutexLock lock(g.slots_mutex);
    for (const NodeId node : last) t.remove(node, g.level(node));
    g.unlinked_slots.insert(g.unlinked_slots.end(), last.begin(), last.end());
    pass.condemned.resize(pass.condemned.size() - count);
    result.slots_freed += count;
    ++result.nodes_examined;
  }
  if (pass.condemned.empty()) pass.phase = Phase::kLookAnew;
  return budget;
}

// The last phase; returns how many were left of the budget.
std::uint64_t look_anew_slice(GraphState& g, std::uint64_t budget, const StepCallback& step,
                              RepairResult& result, bool& go_on)
    VICINAL_REQUIRES(g.maintenance_mutex) {
  constexpr std::uint64_t kCost = 8;  // a search for links, in nodes examined
  GraphState::RepairPass& pass = g.repair_pass();
  while (budget > 0 && !pass.underfull.empty() && go_on) {
    const NodeId node = pass.underfull.back();
    pass.underfull.pop_back();
    const std::uint64_t cost = std::min(budget, kCost);
    budget -= cost;
    result.nodes_examined += cost;
    {
      const Linkers::Inside scratch(g.scratches);
      Topology& t = *g.topology.load(std::memory_order_acquire);
      if (g.state(node) == NodeState::kLive && t.linked(node)) {
        const WriteGate::Inside change(g.write_gate);
        look_for_links_anew(g, t, node, *scratch);
        ++result.nodes_relinked;
      }
    }
    go_on = !step || step(2 * pass.limit, 2 * pass.limit);
  }
  if (pass.underfull.empty()) {
    pass = {};
    result.finished = true;
  }
  return budget;
}

// Scans up to `budget` nodes; returns how many were left of the budget.
std::uint64_t scan_slice(GraphState& g, std::uint64_t budget, const StepCallback& step,
                         RepairResult& result, bool& go_on) VICINAL_REQUIRES(g.maintenance_mutex) {
  GraphState::RepairPass& pass = g.repair_pass();
  constexpr std::uint64_t kRun = 64;  // inside one epoch
  while (budget > 0 && pass.cursor < pass.limit && go_on) {
    const std::uint64_t run = std::min({kRun, budget, pass.limit - pass.cursor});
    {
      const Linkers::Inside scratch(g.scratches);
      Topology& t = *g.topology.load(std::memory_order_acquire);
      for (std::uint64_t i = 0; i < run; ++i) {
        examine(g, t, NodeId{static_cast<std::uint32_t>(pass.cursor + i)}, *scratch, result);
      }
    }
    pass.cursor += run;
    budget -= run;
    const std::uint64_t done = pass.cursor + (pass.phase == Phase::kRelink ? pass.limit : 0);
    go_on = !step || step(done, 2 * pass.limit);
  }
  return budget;
}

// Once nobody links any more who knew the entry point of before: it may have been raised to one
// that was condemned since, or lowered while something higher was being linked (G6).
void renew_entry_point(GraphState& g) {
  Topology& t = *g.topology.load(std::memory_order_acquire);
  const EntryPoint healthy = healthy_entry_point(g, t);
  EntryPoint present = t.entry_point();
  while (present.node != kNoNode) {
    const NodeState s = g.state(present.node);
    const bool dead = s == NodeState::kCondemned || s == NodeState::kFree;
    if (!dead && (healthy.node == kNoNode || healthy.level <= present.level)) return;
    const WriteGate::Inside change(g.write_gate);
    if (t.replace_entry_point(present, healthy)) return;
  }
}

// Goes on from a phase that waits for readers; false while some are there.
bool end_wait(GraphState& g) VICINAL_REQUIRES(g.maintenance_mutex) {
  GraphState::RepairPass& pass = g.repair_pass();
  if (g.epochs.advance() <= pass.tag) return false;
  if (pass.phase == Phase::kRelinked) {
    VICINAL_STEP_POINT("repair.relinked");
    pass.phase = Phase::kRetire;
    return true;
  }
  if (!g.linking->linkers.gone(pass.linkers_tag)) return false;
  renew_entry_point(g);
  // Whoever may link to a condemned node has done so: to scan what is there now is enough.
  pass.limit = g.next_slot.load(std::memory_order_acquire);
  pass.phase = Phase::kReparent;
  return true;
}

// A part of the phase that the pass is in; returns how many were left of the budget.
std::uint64_t work(GraphState& g, std::uint64_t budget, const StepCallback& step,
                   RepairResult& result, bool& go_on) VICINAL_REQUIRES(g.maintenance_mutex) {
  GraphState::RepairPass& pass = g.repair_pass();
  if (pass.phase == Phase::kCondemn) return condemn_slice(g, budget, result);
  if (pass.phase == Phase::kRetire) return retire_slice(g, budget, result);
  if (pass.phase == Phase::kLookAnew) return look_anew_slice(g, budget, step, result, go_on);
  budget = scan_slice(g, budget, step, result, go_on);
  if (pass.cursor < pass.limit) return budget;
  pass.cursor = 0;
  if (pass.phase == Phase::kReparent) {
    pass.phase = Phase::kRelink;
  } else {
    pass.phase = Phase::kRelinked;
    pass.tag = g.epochs.retire_tag();
  }
  return budget;
}

}  // namespace

RepairResult Graph::repair(std::uint64_t slice, const StepCallback& step) {
  GraphState& g = *state_;
  RepairResult result;
  if (repair_flat(g, result)) return result;
  const internal::MutexLock maintenance(g.maintenance_mutex);
  std::uint64_t budget = slice == 0 ? ~std::uint64_t{0} : slice;
  bool go_on = true;
  g.reclaim_topologies();
  if (g.repair_pass().phase == Phase::kIdle) begin_pass(g);
  result.finished = g.repair_pass().phase == Phase::kIdle;
  while (g.repair_pass().phase != Phase::kIdle && budget > 0 && go_on) {
    const Phase phase = g.repair_pass().phase;
    if (phase != Phase::kCondemned && phase != Phase::kRelinked) {
      budget = work(g, budget, step, result, go_on);
    } else if (!end_wait(g)) {
      result.waiting = true;
      break;
    }
  }
  if (!release_condemned(g)) {  // it was flat when it condemned them
    result.waiting = true;
    result.finished = false;
  }
  return result;
}

}  // namespace vicinal::graph
