// The facade: making it, simple reads of it, and the note of what changed.
#include "graph/graph.h"

#include <algorithm>
#include <utility>

#include "graph/flat.h"
#include "graph/graph_state.h"
#include "graph/scorer.h"
#include "graph/trees.h"
#include "graph/visibility.h"

namespace vicinal::graph {

Result<std::unique_ptr<Graph>> Graph::create(const Config& config,
                                             std::shared_ptr<internal::WorkerPool> pool) {
  const auto table = kernels::active_kernels();
  if (!table) return table.status();
  return std::unique_ptr<Graph>(
      new Graph(std::make_unique<GraphState>(config, **table, std::move(pool))));
}

Graph::Graph(std::unique_ptr<GraphState> state) : state_(std::move(state)) {}
Graph::~Graph() = default;

const Config& Graph::config() const { return state_->config; }
const kernels::KernelTable& Graph::kernels() const { return state_->kernels; }
const RowCodec& Graph::codec() const { return state_->codec; }
internal::Workers Graph::workers(unsigned threads) const { return state_->workers(threads); }

Label Graph::label(NodeId node) const { return state_->labels[node]; }
Level Graph::level(NodeId node) const { return state_->level(node); }
NodeState Graph::state(NodeId node) const { return state_->state(node); }
std::uint64_t Graph::node_limit() const {
  return state_->next_slot.load(std::memory_order_acquire);
}

const std::byte* Graph::row(NodeId node) const {
  const GraphState& g = *state_;
  return g.config.keep_vectors ? g.vector_row(node) : nullptr;
}

WriteGate& Graph::write_gate() const { return state_->write_gate; }

void Graph::begin_anew() noexcept {
  if (!state_->write_gate.begin_anew()) return;
  if (Moment::thread_is_inside()) return;  // it forked in a callback: its own stays count
  state_->epochs.begin_anew();
  if (state_->linking != nullptr) state_->linking->linkers.domain().begin_anew();
}

void Graph::begin_linking() {
  GraphState& g = *state_;
  const internal::MutexLock lock(g.slots_mutex);
  graph::begin_linking(g, g.next_slot.load(std::memory_order_relaxed));
}

bool Graph::flat() const { return state_->flat.load(std::memory_order_acquire); }

bool Graph::linked(NodeId node) const {
  const BorrowedScratch scratch(state_->scratches);
  return state_->topology.load(std::memory_order_acquire)->linked(node);
}

std::vector<NodeId> Graph::unlinked_nodes() const {
  const GraphState& g = *state_;
  const BorrowedScratch scratch(g.scratches);
  const Topology& t = *g.topology.load(std::memory_order_acquire);
  std::vector<NodeId> unlinked;
  const std::uint64_t limit = node_limit();
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (!t.linked(node) && g.state(node) != NodeState::kFree) unlinked.push_back(node);
  }
  return unlinked;
}

float Graph::distance(const float* a, const float* b) const {
  const GraphState& g = *state_;
  const std::size_t n = g.config.dimension;
  switch (g.config.metric) {
    case Metric::kCosine: {
      const BorrowedScratch scratch(g.scratches);
      const float* prepared = prepare_exact_query(g, a, *scratch);
      return std::clamp(1.0f - g.kernels.dot_f32(prepared, b, n) * g.inverse_norm(b), 0.0f, 2.0f);
    }
    case Metric::kInnerProduct:
      return 1.0f - g.kernels.dot_f32(a, b, n);
    case Metric::kSquaredL2:
      return std::max(g.kernels.squared_l2_f32(a, b, n), 0.0f);
  }
  return 0;
}

std::uint64_t Graph::live() const {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(state_->live_count.load(), 0));
}
std::uint64_t Graph::tombstones() const {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(state_->tombstone_count.load(), 0));
}

EntryPoint Graph::entry_point() const {
  const BorrowedScratch scratch(state_->scratches);
  return state_->topology.load(std::memory_order_acquire)->entry_point();
}

NodeLinks Graph::links(NodeId node) const {
  const GraphState& g = *state_;
  const BorrowedScratch scratch(g.scratches);
  const Topology& t = *g.topology.load(std::memory_order_acquire);
  NodeLinks links;
  if (!t.linked(node)) return links;
  for (Level level = 0; level <= g.level(node); ++level) {
    const BlockHeader* block = t.block(node, level);
    if (block == nullptr) break;
    links.push_back(
        {block->parent, block->child_count, {block->ids().begin(), block->ids().end()}});
  }
  return links;
}

std::uint64_t Graph::loose_nodes() const {
  const BorrowedScratch scratch(state_->scratches);
  return count_loose(*state_, *state_->topology.load(std::memory_order_acquire));
}

GraphStats Graph::stats() const {
  const GraphState& g = *state_;
  GraphStats s;
  s.live = live();
  s.tombstones = tombstones();
  {
    const BorrowedScratch scratch(g.scratches);
    s.flat = flat();
    const Topology& t = *g.topology.load(std::memory_order_acquire);
    const std::uint64_t limit = node_limit();
    for (std::uint64_t i = 0; i < limit; ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      if (g.state(node) == NodeState::kFree) {
        ++s.free_slots;
        continue;
      }
      if (!s.flat && !t.linked(node)) continue;
      const Level level = g.level(node);
      if (s.nodes_by_level.size() <= level) {
        s.nodes_by_level.resize(level + 1);
        s.links_by_level.resize(level + 1);
      }
      ++s.nodes_by_level[level];
      for (Level l = 0; l <= level; ++l) {
        if (const BlockHeader* block = t.block(node, l)) s.links_by_level[l] += block->count;
      }
    }
    if (!s.flat) s.bytes_links = t.arena().bytes_held();
    s.bytes_nodes = bytes_of_nodes(g);
  }
  s.bytes_vectors = g.vectors.bytes_held();
  s.bytes_codes = g.codes.bytes_held() + g.sketches.bytes_held();
  {
    const internal::MutexLock lock(g.slots_mutex);
    (g.config.keep_vectors ? s.bytes_vectors : s.bytes_codes) += g.row_pieces.bytes();
  }
  s.bytes_scratch = g.scratches.bytes();
  s.sketches = g.sketch_trial.passed();
  s.wider_walks = g.walk_statistics.wider_walks.load(std::memory_order_relaxed);
  s.fallback_scans = g.walk_statistics.fallback_scans.load(std::memory_order_relaxed);
  return s;
}

std::vector<NodeId> Graph::take_changed_nodes() {
  const BorrowedScratch scratch(state_->scratches);
  return state_->topology.load(std::memory_order_acquire)->take_changed(node_limit());
}

void Graph::mark_changed(std::span<const NodeId> nodes) noexcept {
  GraphState& g = *state_;
  const Visibility::Step step(g.visibility);
  // Inside the step: see show().
  Topology& t = *g.topology.load(std::memory_order_acquire);
  if (g.flat.load(std::memory_order_acquire)) return;  // all are marked when they are linked
  for (const NodeId node : nodes) t.mark_changed(node);
}

bool Graph::links_settled() const {
  const BorrowedScratch scratch(state_->scratches);
  if (flat()) return true;
  // In this order: whoever published a list before has marked it, or is inside still.
  return state_->linking->linkers.nobody_inside() &&
         !state_->topology.load(std::memory_order_acquire)->any_changed(node_limit());
}

}  // namespace vicinal::graph
