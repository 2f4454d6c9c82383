#include "graph/flat.h"

#include <algorithm>

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

void make_linking_parts(GraphState& g) {
  if ((g.own_codes || g.use_sketches) && g.rotation_signs.empty()) {
    g.rotation_signs = kernels::make_rotation_signs(g.config.dimension, g.config.seed);
  }
  if (g.stripes == nullptr) g.stripes = std::make_unique<GraphState::Stripes>();
  begin_linking(*g.topology.load());
  g.scratches.begin_linking();
}

void begin_linking(GraphState& g, std::uint64_t limit) {
  if (!g.flat.load(std::memory_order_relaxed)) return;
  make_linking_parts(g);
  const std::uint64_t slots = g.next_slot.load(std::memory_order_relaxed);
  {
    // No step is on while what steps write is copied.
    const Visibility::Step quiet(g.visibility);
    grow_tables(g, std::max(limit, slots), Growth::kSegments);
  }
  encode_rows(g);
  g.left_pieces = {g.vectors.take_left_pieces(), g.codes.take_left_pieces(), g.epochs.retire_tag()};
  for (std::uint64_t i = 0; i < slots; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    const NodeState s = g.state(node);
    if (s != NodeState::kFree && s != NodeState::kCondemned) g.backlog.join(node);
  }
  g.flat.store(false, std::memory_order_release);
}

namespace {

bool release_locked(GraphState& g) VICINAL_REQUIRES(g.slots_mutex) {
  GraphState::FlatCondemned& condemned = g.flat_condemned;
  if (condemned.nodes.empty()) return true;
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
  if (!g.flat.load(std::memory_order_relaxed)) return false;  // for good
  const WriteGate::Inside change(g.write_gate);
  const internal::MutexLock lock(g.slots_mutex);
  if (!g.flat.load(std::memory_order_relaxed)) return false;
  GraphState::FlatCondemned& condemned = g.flat_condemned;
  const std::int64_t dead = g.tombstone_count.load(std::memory_order_relaxed);
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
