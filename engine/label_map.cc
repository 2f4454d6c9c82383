#include "engine/label_map.h"

namespace vicinal::engine {
namespace {

constexpr float kMaxLoad = 0.8F;
constexpr std::size_t kBucketBytes = 8;  // probe distance, last-bucket flag, node id

}  // namespace

using graph::kNoNode;
using graph::NodeId;

LabelMap::Shard::Shard(const graph::Graph& graph) : nodes(0, Hash{&graph}, Equal{&graph}) {
  nodes.max_load_factor(kMaxLoad);
}

LabelMap::LabelMap(const graph::Graph& graph) : graph_(graph) {
  shards_.reserve(kShards);
  for (std::size_t i = 0; i < kShards; ++i) shards_.push_back(std::make_unique<Shard>(graph));
}

NodeId LabelMap::find(Label label) const {
  const Shard& shard = *shards_[shard_of(label)];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.nodes.find(label);
  return found == shard.nodes.end() ? kNoNode : *found;
}

void LabelMap::set_locked(Shard& shard, Label label, NodeId node) {
  const auto found = shard.nodes.find(label);
  if (found != shard.nodes.end()) shard.nodes.erase(found);
  shard.nodes.insert(node);
}

void LabelMap::set(NodeId node) {
  const Label label = graph_.label(node);
  Shard& shard = *shards_[shard_of(label)];
  const std::lock_guard lock(shard.mutex);
  set_locked(shard, label, node);
}

NodeId LabelMap::set_if_absent(NodeId node) {
  Shard& shard = *shards_[shard_of(graph_.label(node))];
  const std::lock_guard lock(shard.mutex);
  return *shard.nodes.insert(node).first;
}

void LabelMap::forget(Label label, NodeId node) {
  Shard& shard = *shards_[shard_of(label)];
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.nodes.find(label);
  if (found != shard.nodes.end() && *found == node) shard.nodes.erase(found);
}

void LabelMap::publish(NodeId node, const std::function<void()>& show) {
  const Label label = graph_.label(node);
  Shard& shard = *shards_[shard_of(label)];
  const std::lock_guard lock(shard.mutex);
  show();
  set_locked(shard, label, node);
}

void LabelMap::publish(std::span<const NodeId> nodes, const std::function<void()>& show) {
  // Shards are locked in ascending order, and nobody else locks two: no deadlock.
  std::vector<std::unique_lock<std::mutex>> locks;
  locks.reserve(kShards);
  for (const auto& shard : shards_) locks.emplace_back(shard->mutex);
  show();
  for (const NodeId node : nodes) {
    const Label label = graph_.label(node);
    set_locked(*shards_[shard_of(label)], label, node);
  }
}

void LabelMap::reserve(std::uint64_t count) {
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    shard->nodes.reserve(count / kShards);
  }
}

std::uint64_t LabelMap::size() const {
  std::uint64_t total = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    total += shard->nodes.size();
  }
  return total;
}

std::uint64_t LabelMap::bytes() const {
  std::uint64_t total = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    total += shard->nodes.bucket_count() * kBucketBytes;
  }
  return total;
}

void LabelMap::for_each(const std::function<void(NodeId)>& visit) const {
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    for (const NodeId node : shard->nodes) visit(node);
  }
}

}  // namespace vicinal::engine
