#include "graph/flat.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "graph/visibility.h"

namespace vicinal::graph {
namespace {

// Codes of the rows that had none, and sketches. Nobody reads them before linking has begun.
void encode_rows(GraphState& g) VICINAL_REQUIRES(g.slots_mutex) {
  const bool codes = g.own_codes && g.config.keep_vectors;
  if (!codes && !g.use_sketches) return;
  const BorrowedScratch scratch(g.scratches);
  const std::uint64_t limit = g.next_slot.load(std::memory_order_relaxed);
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (g.state(node) == NodeState::kFree) continue;
    if (codes) {
      const float* const vector = g.codec.floats(g.vector_row(node), scratch->decoded);
      encode(g, vector, g.inverse_norm(vector), g.codes.row(raw(node)), *scratch);
    }
    if (g.use_sketches) write_sketch(g, node, *scratch);
  }
}

}  // namespace

void make_rotation_signs(GraphState& g) {
  if (g.rotation_signs != nullptr) return;
  g.rotation_signs = std::make_unique<const std::vector<float>>(
      kernels::make_rotation_signs(g.config.dimension, g.config.seed));
}

void make_linking_parts(GraphState& g) {
  if (g.own_codes || g.use_sketches) make_rotation_signs(g);
  if (g.linking == nullptr) g.linking = std::make_unique<GraphState::Linking>();
  g.walk_statistics.prepare();
  g.scratches.begin_linking(g.linking->linkers.domain());
  if (g.topology.load() != &Topology::none()) return;
  auto first = std::make_unique<Topology>(g.epochs);
  begin_linking(*first);
  g.topology.store(first.release(), std::memory_order_release);
}

void begin_linking(GraphState& g, std::uint64_t limit) {
  if (!g.flat.load(std::memory_order_relaxed)) return;
  make_linking_parts(g);
  const std::uint64_t slots = g.next_slot.load(std::memory_order_relaxed);
  {
    // No step is on while what steps write is copied.
    const Visibility::Step quiet(g.visibility);
    grow_tables(g, std::max(limit, slots));
  }
  encode_rows(g);
  g.linking->left_rows_tag = g.epochs.retire_tag();  // of the rows that were copied
  for (std::uint64_t i = 0; i < slots; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    const NodeState s = g.state(node);
    if (s != NodeState::kFree && s != NodeState::kCondemned) g.backlog.join(node);
  }
  g.flat.store(false, std::memory_order_release);
}

namespace {

bool release_locked(GraphState& g) VICINAL_REQUIRES(g.slots_mutex) {
  if (g.flat_condemned == nullptr || g.flat_condemned->nodes.empty()) return true;
  GraphState::FlatCondemned& condemned = *g.flat_condemned;
  if (g.epochs.advance() <= condemned.tag) return false;
  g.unlinked_slots.insert(g.unlinked_slots.end(), condemned.nodes.begin(), condemned.nodes.end());
  condemned.nodes.clear();
  return true;
}

}  // namespace

bool release_condemned(GraphState& g) {
  const internal::MutexLock lock(g.slots_mutex);
  return release_locked(g);
}

bool repair_flat(GraphState& g, RepairResult& result) {
  if (!g.flat.load(std::memory_order_acquire)) return false;  // for good
  const WriteGate::Inside change(g.write_gate);
  const internal::MutexLock lock(g.slots_mutex);
  if (!g.flat.load(std::memory_order_relaxed)) return false;
  const std::int32_t dead = g.tombstone_count.load(std::memory_order_relaxed);
  if (g.flat_condemned == nullptr) {
    if (dead == 0) {
      result.finished = true;
      return true;
    }
    g.flat_condemned = std::make_unique<GraphState::FlatCondemned>();
  }
  GraphState::FlatCondemned& condemned = *g.flat_condemned;
  if (condemned.nodes.empty() && dead > 0) {
    condemned.nodes.reserve(static_cast<std::size_t>(dead));
    const std::uint64_t limit = g.next_slot.load(std::memory_order_relaxed);
    const Visibility::Step step(g.visibility);
    for (std::uint64_t i = 0; i < limit; ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      if (g.state(node) != NodeState::kTombstone || g.visibility.pinned(node)) continue;
      if (condemned.nodes.size() == condemned.nodes.capacity()) break;  // another time
      g.set_state(node, NodeState::kCondemned);
      condemned.nodes.push_back(node);
    }
    condemned.tag = g.epochs.retire_tag();
    result.nodes_examined = 1;  // so few slots are looked at for the price of one
  }
  const std::size_t handed_out = condemned.nodes.size();
  result.waiting = !release_locked(g);
  if (!result.waiting) result.slots_freed = handed_out;
  result.finished = !result.waiting;
  return true;
}

}  // namespace vicinal::graph
