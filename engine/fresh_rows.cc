#include "engine/fresh_rows.h"

#include <algorithm>

namespace vicinal::engine {

using graph::NodeId;

void FreshRows::add(NodeId node, std::span<const float> row) {
  Row copy;
  if (keep_rows_) {
    std::shared_ptr<float[]> owned(new float[row.size()]);
    std::copy(row.begin(), row.end(), owned.get());
    copy = std::move(owned);
  }
  const std::lock_guard lock(mutex_);
  rows_.insert_or_assign(node, std::move(copy));
}

void FreshRows::drop(std::span<const NodeId> nodes) {
  raise_epoch();
  const std::lock_guard lock(mutex_);
  for (const NodeId node : nodes) rows_.erase(node);
}

bool FreshRows::contains(NodeId node) const {
  const std::lock_guard lock(mutex_);
  return rows_.contains(node);
}

FreshRows::Row FreshRows::find(NodeId node) const {
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(node);
  return found == rows_.end() ? nullptr : found->second;
}

std::vector<NodeId> FreshRows::nodes() const {
  const std::lock_guard lock(mutex_);
  std::vector<NodeId> nodes;
  nodes.reserve(rows_.size());
  for (const auto& entry : rows_) nodes.push_back(entry.first);
  return nodes;
}

const float* StoredRows::row(NodeId node) {
  if (FreshRows::Row fresh = fresh_.find(node)) {
    held_.push_back(std::move(fresh));
    return held_.back().get();
  }
  const std::uint64_t epoch = fresh_.epoch();
  if (readers_.empty() || epoch != epoch_) {
    Result<std::unique_ptr<persist::RowReader>> reader = records_.row_reader();
    if (!reader) return nullptr;
    readers_.push_back(std::move(*reader));
    epoch_ = epoch;
  }
  return readers_.back()->row(node);
}

}  // namespace vicinal::engine
