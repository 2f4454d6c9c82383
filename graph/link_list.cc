#include "graph/link_list.h"

#include <algorithm>
#include <array>

#include "engine/base/check.h"
#include "graph/scorer.h"

namespace vicinal::graph {

bool LinkList::load(const Topology& t) {
  entries_.clear();
  const BlockHeader* block = t.block(owner_, level_);
  if (block == nullptr) return false;
  entries_.reserve(block->count + 1u);
  const std::span<const NodeId> ids = block->ids();
  const std::span<const float> distances = block->distances();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Kind kind = i < block->child_count    ? Kind::kChild
                      : ids[i] == block->parent ? Kind::kParent
                                                : Kind::kOrdinary;
    const bool settled = i >= block->child_count && kind == Kind::kOrdinary &&
                         i < std::size_t{block->child_count} + block->settled_count;
    entries_.push_back({{distances.empty() ? 0.0f : distances[i], ids[i]}, kind, settled});
  }
  if (distances.empty() && !entries_.empty()) fill_distances(*block);
  return true;
}

void LinkList::fill_distances(const BlockHeader& block) {
  std::array<std::uint32_t, kMaxLinks> ids;
  std::array<float, kMaxLinks> distances;
  for (std::size_t i = 0; i < block.count; ++i) ids[i] = raw(entries_[i].neighbor.node);
  Scorer::for_node(g_, owner_, Scorer::Side::kSecond, scratch_)(ids.data(), block.count,
                                                                distances.data());
  scratch_.distances_computed += block.count;
  for (std::size_t i = 0; i < block.count; ++i) entries_[i].neighbor.distance = distances[i];
}

LinkList::Entry* LinkList::find(NodeId node) {
  for (Entry& e : entries_) {
    if (e.neighbor.node == node) return &e;
  }
  return nullptr;
}

std::size_t LinkList::child_count() const {
  return static_cast<std::size_t>(std::count_if(
      entries_.begin(), entries_.end(), [](const Entry& e) { return e.kind == Kind::kChild; }));
}

NodeId LinkList::parent() const {
  for (const Entry& e : entries_) {
    if (e.kind == Kind::kParent) return e.neighbor.node;
  }
  return kNoNode;
}

void LinkList::clear_parent() {
  for (Entry& e : entries_) {
    if (e.kind == Kind::kParent) e.kind = Kind::kOrdinary;
  }
}

void LinkList::prune_if_overfull() {
  if (entries_.size() > g_.max_links(level_)) prune();
}

void LinkList::prune() {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.neighbor < b.neighbor; });
  internal::Vector<LinkCandidate> candidates;
  candidates.reserve(entries_.size());
  for (const Entry& e : entries_) {
    const bool needed = e.kind != Kind::kOrdinary;
    candidates.push_back({e.neighbor, needed, e.settled && !needed});
  }
  const std::size_t max = g_.max_links(level_);
  const std::size_t kept = select_links(g_, owner_, candidates, max - max / 8, scratch_);
  // Both are in the same order: carry the kinds over.
  std::size_t at = 0;
  for (std::size_t i = 0; i < kept; ++i, ++at) {
    while (entries_[at].neighbor.node != candidates[i].neighbor.node) ++at;
    entries_[i] = entries_[at];
    entries_[i].settled = entries_[i].kind == Kind::kOrdinary;
  }
  entries_.resize(kept);
}

void LinkList::publish(Topology& t) {
  VICINAL_CHECK(entries_.size() <= g_.max_links(level_));
  const BlockHandle handle = t.arena().allocate_block(owner_, entries_.size(), true);
  BlockHeader* block = t.arena().block(handle);
  block->parent = parent();
  NodeId* const ids = block->mutable_ids();
  float* const distances = block->mutable_distances();
  std::uint16_t n = 0;
  const auto write = [&](const auto& wanted) {
    const std::uint16_t before = n;
    for (const Entry& e : entries_) {
      if (!wanted(e)) continue;
      ids[n] = e.neighbor.node;
      distances[n++] = e.neighbor.distance;
    }
    return static_cast<std::uint16_t>(n - before);
  };
  const auto child = [](const Entry& e) { return e.kind == Kind::kChild; };
  const auto settled = [](const Entry& e) { return e.kind == Kind::kOrdinary && e.settled; };
  block->child_count = write(child);
  block->settled_count = write(settled);
  write([&](const Entry& e) { return !child(e) && !settled(e); });
  t.publish(owner_, level_, handle);
}

}  // namespace vicinal::graph
