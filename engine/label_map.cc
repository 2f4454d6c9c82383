#include "engine/label_map.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "engine/base/step_hook.h"

namespace vicinal::engine {

using graph::kNoNode;
using graph::NodeId;

namespace {

constexpr float kMaxLoad = 0.8F;
constexpr std::size_t kBucketBytes = 8;  // probe distance, last-bucket flag, node id

// take_live(): nodes sorted at once, which bounds what that takes, and by one thread.
constexpr std::uint64_t kNodesAtOnce = std::uint64_t{1} << 22;
constexpr std::uint64_t kNodesPerBlock = std::uint64_t{1} << 16;

using ByShard = std::array<internal::Vector<NodeId>, LabelMap::kShards>;

// The live nodes of [first, last), ascending in each shard.
void sort_live(const graph::Graph& graph, std::uint64_t first, std::uint64_t last, ByShard& out) {
  for (internal::Vector<NodeId>& nodes : out)
    nodes.reserve((last - first) / LabelMap::kShards * 5 / 4);
  for (std::uint64_t i = first; i < last; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (graph.state(node) != graph::NodeState::kLive) continue;
    out[LabelMap::shard_of(graph.label(node))].push_back(node);
  }
}

}  // namespace

LabelMap::Shard::Shard(const graph::Graph& graph) : nodes(0, Hash{&graph}, Equal{&graph}) {
  nodes.max_load_factor(kMaxLoad);
}

LabelMap::LabelMap(const graph::Graph& graph) : graph_(graph), few_(graph) {}

LabelMap::Shard& LabelMap::lock_shard(const LabelMap& map, std::size_t number) {
  if (map.shards_.load(std::memory_order_acquire) == nullptr) {
    VICINAL_STEP_POINT("labels.few");
    map.few_.mutex.lock();
    if (map.shards_.load(std::memory_order_acquire) == nullptr) return map.few_;
    map.few_.mutex.unlock();
  }
  Shard& shard = *(*map.shards_.load(std::memory_order_acquire))[number];
  shard.mutex.lock();
  return shard;
}

void LabelMap::split_if_many(std::uint64_t expected) noexcept {
  if (expected < kFew || shards_.load(std::memory_order_acquire) != nullptr) return;
  VICINAL_STEP_POINT("labels.split");
  const internal::MutexLock lock(few_.mutex);
  if (shards_.load(std::memory_order_relaxed) != nullptr) return;
  try {
    auto shards = std::make_unique<Shards>();
    shards->reserve(kShards);
    for (std::size_t i = 0; i < kShards; ++i)
      shards->push_back(std::make_unique<OneOfMany>(graph_));
    for (const NodeId node : few_.nodes) {
      Shard& shard = *(*shards)[shard_of(graph_.label(node))];
      const internal::MutexLock nobody_waits(shard.mutex);
      shard.nodes.insert(node);
    }
    NodeSet(0, Hash{&graph_}, Equal{&graph_}).swap(few_.nodes);
    shards_.store(shards.release(), std::memory_order_release);
  } catch (const std::bad_alloc&) {
    // Together they are found as well.
  }
}

NodeId LabelMap::find(Label label) const {
  const Locked locked(*this, shard_of(label));
  const auto found = locked.shard.nodes.find(label);
  return found == locked.shard.nodes.end() ? kNoNode : *found;
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
  std::uint64_t together = 0;
  {
    const Locked locked(*this, shard_of(label));
    set_locked(locked.shard, label, node);
    if (&locked.shard == &few_) together = locked.shard.nodes.size();
  }
  split_if_many(together);
}

void LabelMap::put_back(NodeId node, NodeId before) noexcept {
  if (before == kNoNode) {
    forget(graph_.label(node), node);
  } else {
    set(before);
  }
}

NodeId LabelMap::set_if_absent(NodeId node) {
  const Locked locked(*this, shard_of(graph_.label(node)));
  return *locked.shard.nodes.insert(node).first;
}

std::vector<NodeId> LabelMap::take_live(const internal::Workers& workers) {
  std::vector<NodeId> refused;
  internal::Mutex refused_mutex;
  const std::uint64_t limit = graph_.node_limit();
  split_if_many(graph_.live());
  for (std::uint64_t first = 0; first < limit; first += kNodesAtOnce) {
    const std::uint64_t last = std::min(limit, first + kNodesAtOnce);
    std::vector<ByShard> blocks((last - first + kNodesPerBlock - 1) / kNodesPerBlock);
    workers.for_each(blocks.size(), 1, [&](std::size_t block) {
      const std::uint64_t begin = first + block * kNodesPerBlock;
      sort_live(graph_, begin, std::min(last, begin + kNodesPerBlock), blocks[block]);
    });
    workers.for_each(kShards, 1, [&](std::size_t number) {
      const Locked locked(*this, number);
      for (const ByShard& block : blocks) {
        for (const NodeId node : block[number]) {
          if (locked.shard.nodes.insert(node).second) continue;
          const internal::MutexLock refusing(refused_mutex);
          refused.push_back(node);
        }
      }
    });
  }
  std::sort(refused.begin(), refused.end());
  return refused;
}

void LabelMap::take_tombstones() {
  if (graph_.tombstones() == 0) return;
  const std::uint64_t limit = graph_.node_limit();
  // Of several nobody knows which was erased and which were replaced before: none can be lifted.
  std::vector<NodeId> unclear;
  for (std::uint64_t i = 0; i < limit; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (graph_.state(node) != graph::NodeState::kTombstone) continue;
    const NodeId first = set_if_absent(node);
    if (first != node && graph_.state(first) == graph::NodeState::kTombstone) {
      unclear.push_back(first);
    }
  }
  for (const NodeId node : unclear) forget(graph_.label(node), node);
}

void LabelMap::forget(Label label, NodeId node) {
  const Locked locked(*this, shard_of(label));
  const auto found = locked.shard.nodes.find(label);
  if (found != locked.shard.nodes.end() && *found == node) locked.shard.nodes.erase(found);
}

void LabelMap::reserve(std::uint64_t count) {
  split_if_many(count);
  if (shards_.load(std::memory_order_acquire) == nullptr) return;
  for (std::size_t number = 0; number < kShards; ++number) {
    const Locked locked(*this, number);
    const std::uint64_t each = count / kShards;
    // What has room for them would be hashed anew all the same, and into less.
    if (each * 2 > locked.shard.nodes.bucket_count()) locked.shard.nodes.reserve(each);
  }
}

std::uint64_t LabelMap::bytes() const {
  const bool many = shards_.load(std::memory_order_acquire) != nullptr;
  std::uint64_t total = 0;
  for (std::size_t number = 0; number < (many ? kShards : 1); ++number) {
    const Locked locked(*this, number);
    total += (many ? sizeof(OneOfMany) : 0) + locked.shard.nodes.bucket_count() * kBucketBytes;
  }
  return total;
}

void LabelMap::for_each(const std::function<void(NodeId)>& visit) const {
  for (std::size_t number = 0; number < kShards; ++number) {
    const Locked locked(*this, number);
    for (const NodeId node : locked.shard.nodes) {
      if (shard_of(graph_.label(node)) == number) visit(node);
    }
  }
}

std::vector<Label> LabelMap::labels_of(std::size_t number) const {
  const Locked locked(*this, number);
  std::vector<Label> labels;
  labels.reserve(locked.shard.nodes.size());
  for (const NodeId node : locked.shard.nodes) {
    const Label label = graph_.label(node);
    if (shard_of(label) == number) labels.push_back(label);
  }
  return labels;
}

}  // namespace vicinal::engine
