// The facade's nodes: slots, payload, simple reads.
#include "graph/graph.h"

#include <algorithm>
#include <mutex>

#include "engine/base/check.h"
#include "graph/graph_state.h"
#include "graph/parallel.h"
#include "graph/placement.h"
#include "graph/scorer.h"

namespace vicinal::graph {

Result<std::unique_ptr<Graph>> Graph::create(const Config& config) {
  const auto table = kernels::active_kernels();
  if (!table) return table.status();
  return std::unique_ptr<Graph>(new Graph(std::make_unique<GraphState>(config, **table)));
}

Graph::Graph(std::unique_ptr<GraphState> state) : state_(std::move(state)) {}
Graph::~Graph() = default;

const Config& Graph::config() const { return state_->config; }
const kernels::KernelTable& Graph::kernels() const { return state_->kernels; }

namespace {

// Takes as many slots as `taken` is long; none on an error or when memory runs out.
Status take_slots(GraphState& g, std::span<NodeId> taken) {
  const std::lock_guard lock(g.slots_mutex);
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
  g.next_slot.store(limit, std::memory_order_release);
  return {};
}

void fill_slot(GraphState& g, NodeId node, const Graph::NewNode& n, Scratch& scratch) {
  g.write_payload(node, n.label, g.draw_level(n.label), n.vector, scratch);
  g.visibility.begin_life(node, n.replaced);
  g.set_state(node, NodeState::kPending);
}

}  // namespace

Result<NodeId> Graph::add_node(Label label, const float* vector, NodeId replaced) {
  GraphState& g = *state_;
  // All that can throw comes before a slot is taken.
  const BorrowedScratch scratch(g.scratches);
  scratch->rotated.resize(g.config.dimension);
  NodeId node = kNoNode;
  VICINAL_RETURN_IF_ERROR(take_slots(g, std::span(&node, 1)));
  fill_slot(g, node, {label, vector, replaced}, *scratch);
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
                                           std::span<NodeId> taken, unsigned threads) {
  std::sort(taken.begin(), taken.end());
  parallel_for(threads, nodes.size(), kShare, [&](std::size_t i) {
    const BorrowedScratch scratch(g.scratches);
    if (g.deferred != nullptr) g.deferred->take_over(taken[i]);
    g.write_node(taken[i], nodes[i].label, 0);
    g.write_comparable(taken[i], nodes[i].vector, *scratch);
  });
  internal::Vector<std::uint32_t> order = order_by_nearness(g, taken, threads);
  const internal::Vector<NodeId> slots(taken.begin(), taken.end());
  for (std::size_t i = 0; i < order.size(); ++i) taken[order[i]] = slots[i];
  return order;
}

}  // namespace

Result<std::vector<NodeId>> Graph::add_nodes(std::span<const NewNode> nodes, unsigned threads) {
  GraphState& g = *state_;
  std::vector<NodeId> taken(nodes.size(), kNoNode);
  VICINAL_RETURN_IF_ERROR(take_slots(g, taken));
  try {
    internal::Vector<std::uint32_t> by_slot;
    if (nodes.size() >= kWorthPlacing) by_slot = deal_slots(g, nodes, taken, threads);
    parallel_for(threads, nodes.size(), kShare, [&](std::size_t place) {
      const std::size_t i = by_slot.empty() ? place : by_slot[place];
      const BorrowedScratch scratch(g.scratches);
      fill_slot(g, taken[i], nodes[i], *scratch);
    });
  } catch (...) {
    discard_nodes(taken);
    throw;
  }
  return taken;
}

Status Graph::place_node(NodeId node, Label label, Level level, const float* vector,
                         NodeState state) {
  const StoredPayload payload{node, label, level, state, vector};
  return place_nodes({&payload, 1});
}

void Graph::defer_payload(std::unique_ptr<PayloadSource> source, std::uint64_t limit) {
  state_->deferred = std::make_unique<DeferredPayload>(*state_, std::move(source), limit);
}

std::uint64_t Graph::deferred() const {
  return state_->deferred == nullptr ? 0 : state_->deferred->left();
}

Status Graph::load_deferred(unsigned threads, const StepCallback& step) {
  return state_->deferred == nullptr ? Status() : state_->deferred->load(threads, step);
}

Status Graph::deferred_status() const {
  return state_->deferred == nullptr ? Status() : state_->deferred->status();
}

Status Graph::place_nodes(std::span<const StoredPayload> nodes, Payload payload) {
  GraphState& g = *state_;
  std::uint64_t limit = 0;
  for (const StoredPayload& n : nodes) {
    if (raw(n.node) >= kMaxNodes || n.level >= kMaxLevels) {
      return Status::corruption("node " + std::to_string(raw(n.node)) + " at level " +
                                std::to_string(n.level) + " is out of range");
    }
    limit = std::max(limit, std::uint64_t{raw(n.node)} + 1);
  }
  {
    const std::lock_guard lock(g.slots_mutex);
    if (g.next_slot.load() < limit) {
      g.grow(limit);
      g.next_slot.store(limit, std::memory_order_release);
    }
  }
  const BorrowedScratch scratch(g.scratches);
  std::int64_t live = 0;
  std::int64_t tombstones = 0;
  Status status;
  for (const StoredPayload& n : nodes) {
    if (g.state(n.node) != NodeState::kFree) {
      status = Status::corruption("node " + std::to_string(raw(n.node)) + " is stored twice");
      break;
    }
    if (payload == Payload::kNow) {
      g.write_payload(n.node, n.label, n.level, n.row, *scratch);
    } else {
      g.write_node(n.node, n.label, n.level);
      g.deferred->defer(n.node);
    }
    if (n.state == NodeState::kPending) {
      g.visibility.begin_life(n.node, kNoNode);
    } else {
      g.visibility.place(n.node, n.state == NodeState::kLive);
    }
    g.set_state(n.node, n.state);
    if (n.state == NodeState::kLive) ++live;
    if (n.state == NodeState::kTombstone) ++tombstones;
  }
  g.live_count.fetch_add(live);
  g.tombstone_count.fetch_add(tombstones);
  return status;
}

void Graph::finish_placing(std::uint64_t limit) {
  GraphState& g = *state_;
  const std::lock_guard lock(g.slots_mutex);
  if (limit > g.next_slot.load()) {
    g.grow(limit);
    g.next_slot.store(limit, std::memory_order_release);
  }
  g.free_slots.clear();
  for (std::uint64_t i = g.next_slot.load(); i-- > 0;) {  // so that the lowest is handed out first
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (g.state(node) == NodeState::kFree) g.free_slots.push_back(node);
  }
}

void Graph::discard_nodes(std::span<const NodeId> nodes) noexcept {
  GraphState& g = *state_;
  const std::lock_guard lock(g.slots_mutex);
  const Topology& t = *g.topology.load(std::memory_order_acquire);  // not replaced under the lock
  for (const NodeId node : nodes) {
    VICINAL_CHECK(!t.linked(node));
    g.backlog.leave(node);
  }
  g.leave_slots(nodes);
}

Label Graph::label(NodeId node) const { return state_->labels[node]; }
Level Graph::level(NodeId node) const { return state_->level(node); }
NodeState Graph::state(NodeId node) const { return state_->state(node); }
std::uint64_t Graph::node_limit() const {
  return state_->next_slot.load(std::memory_order_acquire);
}

const float* Graph::vector(NodeId node) const {
  const GraphState& g = *state_;
  const bool in_memory = g.config.keep_vectors && (!g.some_deferred() || g.deferred->here(node));
  return in_memory ? g.vector_row(node) : nullptr;
}

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

void Graph::reserve(std::uint64_t count) {
  const std::lock_guard lock(state_->slots_mutex);
  state_->grow(std::min<std::uint64_t>(count, kMaxNodes));
}

std::vector<NodeId> Graph::take_unlinked(std::size_t max) {
  GraphState& g = *state_;
  const std::lock_guard lock(g.slots_mutex);
  const std::size_t n = std::min(max, g.unlinked_slots.size());
  std::vector<NodeId> nodes(g.unlinked_slots.end() - static_cast<std::ptrdiff_t>(n),
                            g.unlinked_slots.end());
  g.unlinked_slots.erase(g.unlinked_slots.end() - static_cast<std::ptrdiff_t>(n),
                         g.unlinked_slots.end());
  return nodes;
}

bool Graph::reclaim_topologies() { return state_->reclaim_topologies(); }

void Graph::recycle(std::span<const NodeId> nodes) {
  if (nodes.empty()) return;
  GraphState& g = *state_;
  for (const NodeId node : nodes) g.backlog.leave(node);
  const std::lock_guard lock(g.slots_mutex);
  g.leave_slots(nodes);
  g.tombstone_count.fetch_sub(static_cast<std::int64_t>(nodes.size()));
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

GraphStats Graph::stats() const {
  const GraphState& g = *state_;
  GraphStats s;
  s.live = live();
  s.tombstones = tombstones();
  std::uint64_t used = 0;
  {
    const BorrowedScratch scratch(g.scratches);
    const Topology& t = *g.topology.load(std::memory_order_acquire);
    const std::uint64_t limit = node_limit();
    for (std::uint64_t i = 0; i < limit; ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      if (g.state(node) == NodeState::kFree) {
        ++s.free_slots;
        continue;
      }
      ++used;
      if (!t.linked(node)) continue;
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
    s.bytes_links = t.arena().bytes_in_use();
    used += s.free_slots;
  }
  if (g.config.keep_vectors) s.bytes_vectors = used * g.vectors.stride();
  if (g.use_codes) s.bytes_codes = used * g.codes.stride();
  constexpr std::uint64_t kPerNode = sizeof(Label) + sizeof(float) + 2 + 2 * sizeof(BlockHandle) +
                                     Visibility::kBytesPerNode + LinkBacklog::kBytesPerNode;
  s.bytes_nodes = used * kPerNode + (g.deferred == nullptr ? 0 : g.deferred->bytes());
  s.bytes_scratch = g.scratches.bytes();
  s.wider_walks = g.walk_statistics.wider_walks.load(std::memory_order_relaxed);
  s.fallback_scans = g.walk_statistics.fallback_scans.load(std::memory_order_relaxed);
  return s;
}

std::vector<NodeId> Graph::take_changed_nodes() {
  const BorrowedScratch scratch(state_->scratches);
  return state_->topology.load(std::memory_order_acquire)->take_changed(node_limit());
}

bool Graph::links_settled() const {
  const BorrowedScratch scratch(state_->scratches);
  // In this order: whoever published a list before has marked it, or is inside still.
  return state_->linkers.nobody_inside() &&
         !state_->topology.load(std::memory_order_acquire)->any_changed(node_limit());
}

}  // namespace vicinal::graph
