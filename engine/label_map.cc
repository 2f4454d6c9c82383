#include "engine/label_map.h"

#include <algorithm>
#include <array>

namespace vicinal::engine {

using graph::kNoNode;
using graph::NodeId;

namespace {

constexpr float kMaxLoad = 0.8F;
constexpr std::size_t kBucketBytes = 8;  // probe distance, last-bucket flag, node id

// take_live(): nodes sorted at once, which bounds what that takes, and by one thread.
constexpr std::uint64_t kNodesAtOnce = std::uint64_t{1} << 22;
constexpr std::uint64_t kNodesPerBlock = std::uint64_t{1} << 16;

using ByShard = std::array<internal::Vector<NodeId>, kShards>;

// The live nodes of [first, last), ascending in each shard.
void sort_live(const graph::Graph& graph, std::uint64_t first, std::uint64_t last, ByShard& out) {
  for (internal::Vector<NodeId>& nodes : out) nodes.reserve((last - first) / kShards * 5 / 4);
  for (std::uint64_t i = first; i < last; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (graph.state(node) != graph::NodeState::kLive) continue;
    out[shard_of(graph.label(node))].push_back(node);
  }
}

}  // namespace

LabelMap::Shard::Shard(const graph::Graph& graph) : nodes(0, Hash{&graph}, Equal{&graph}) {
  nodes.max_load_factor(kMaxLoad);
}

LabelMap::LabelMap(const graph::Graph& graph) : graph_(graph) {
  shards_.reserve(kShards);
  for (std::size_t i = 0; i < kShards; ++i) shards_.push_back(std::make_unique<Shard>(graph));
}

NodeId LabelMap::find(Label label) const {
  const Shard& shard = *shards_[shard_of(label)];
  const internal::MutexLock lock(shard.mutex);
  const auto found = shard.nodes.find(label);
  return found == shard.nodes.end() ? kNoNode : *found;
}

void LabelMap::set_locked(Shard& shard, Label label, NodeId node) {
  const auto found = shard.nodes.find(label);
  if (found == shard.nodes.end()) {
    shard.nodes.insert(node);
  } else {
    // Both bear the label, by which the set hashes and compares.
    const_cast<NodeId&>(*found) = node;
  }
}

void LabelMap::set(NodeId node) {
  const Label label = graph_.label(node);
  Shard& shard = *shards_[shard_of(label)];
  const internal::MutexLock lock(shard.mutex);
  set_locked(shard, label, node);
}

void LabelMap::put_back(NodeId node, NodeId before) noexcept {
  if (before == kNoNode) {
    forget(graph_.label(node), node);
  } else {
    set(before);
  }
}

NodeId LabelMap::set_if_absent(NodeId node) {
  Shard& shard = *shards_[shard_of(graph_.label(node))];
  const internal::MutexLock lock(shard.mutex);
  return *shard.nodes.insert(node).first;
}

std::vector<NodeId> LabelMap::take_live(const internal::Workers& workers) {
  std::vector<NodeId> refused;
  internal::Mutex refused_mutex;
  const std::uint64_t limit = graph_.node_limit();
  for (std::uint64_t first = 0; first < limit; first += kNodesAtOnce) {
    const std::uint64_t last = std::min(limit, first + kNodesAtOnce);
    std::vector<ByShard> blocks((last - first + kNodesPerBlock - 1) / kNodesPerBlock);
    workers.for_each(blocks.size(), 1, [&](std::size_t block) {
      const std::uint64_t begin = first + block * kNodesPerBlock;
      sort_live(graph_, begin, std::min(last, begin + kNodesPerBlock), blocks[block]);
    });
    workers.for_each(kShards, 1, [&](std::size_t number) {
      Shard& shard = *shards_[number];
      const internal::MutexLock lock(shard.mutex);
      for (const ByShard& block : blocks) {
        for (const NodeId node : block[number]) {
          if (shard.nodes.insert(node).second) continue;
          const internal::MutexLock refusing(refused_mutex);
          refused.push_back(node);
        }
      }
    });
  }
  std::sort(refused.begin(), refused.end());
  return refused;
}

void LabelMap::forget(Label label, NodeId node) {
  Shard& shard = *shards_[shard_of(label)];
  const internal::MutexLock lock(shard.mutex);
  const auto found = shard.nodes.find(label);
  if (found != shard.nodes.end() && *found == node) shard.nodes.erase(found);
}

void LabelMap::reserve(std::uint64_t count) {
  for (const auto& shard : shards_) {
    const internal::MutexLock lock(shard->mutex);
    shard->nodes.reserve(count / kShards);
  }
}

std::uint64_t LabelMap::size() const {
  std::uint64_t total = 0;
  for (const auto& shard : shards_) {
    const internal::MutexLock lock(shard->mutex);
    total += shard->nodes.size();
  }
  return total;
}

std::uint64_t LabelMap::bytes() const {
  std::uint64_t total = 0;
  for (const auto& shard : shards_) {
    const internal::MutexLock lock(shard->mutex);
    total += shard->nodes.bucket_count() * kBucketBytes;
  }
  return total;
}

void LabelMap::for_each(const std::function<void(NodeId)>& visit) const {
  for (const auto& shard : shards_) {
    const internal::MutexLock lock(shard->mutex);
    for (const NodeId node : shard->nodes) visit(node);
  }
}

std::vector<Label> LabelMap::labels_of(std::size_t number) const {
  const Shard& shard = *shards_[number];
  const internal::MutexLock lock(shard.mutex);
  std::vector<Label> labels;
  labels.reserve(shard.nodes.size());
  for (const NodeId node : shard.nodes) labels.push_back(graph_.label(node));
  return labels;
}

}  // namespace vicinal::engine
