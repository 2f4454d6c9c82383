#include "engine/fresh_rows.h"

#include <fmt/format.h>

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
  const float* found = nullptr;
  const std::uint32_t id = graph::raw(node);
  rows({&id, 1}, &found);
  return found;
}

void StoredRows::rows(std::span<const std::uint32_t> ids, const float** out) {
  std::fill(out, out + ids.size(), nullptr);
  while (status_.ok()) {
    const std::uint64_t epoch = fresh_.epoch();
    if (reader_ == nullptr || epoch != epoch_) {
      reader_.reset();  // first: two snapshots at once could wait for each other's end
      Result<std::unique_ptr<persist::RowReader>> reader =
          reading_ == Reading::kVerified ? records_.chunk_copier() : records_.row_reader();
      if (!reader) {
        status_ = reader.status();
        return;
      }
      reader_ = std::move(*reader);
      epoch_ = epoch;
    }
    held_.clear();
    Status why;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const NodeId node{ids[i]};
      // By E5 a node that has been shown has a row: only a writer asks about others.
      const graph::NodeState state = graph_.state(node);
      const bool has_row = state != graph::NodeState::kFree && state != graph::NodeState::kPending;
      if (const float* const kept = graph_.vector(node)) {
        out[i] = kept;
      } else if (FreshRows::Row fresh = fresh_.find(node)) {
        out[i] = fresh.get();
        held_.push_back(std::move(fresh));
      } else {
        out[i] = reader_->row(node);
        if (out[i] == nullptr && has_row && why.ok()) why = unreadable(node);
      }
    }
    // E5: a row may have left for a chunk that this snapshot does not have yet.
    if (fresh_.epoch() != epoch) continue;
    status_ = why;
    return;
  }
}

Status StoredRows::unreadable(NodeId node) const {
  const Status why = reader_->why();
  return Status(why.code(), fmt::format("the vector of label {} (node {}) cannot be read: {}",
                                        graph_.label(node), graph::raw(node), why.message()));
}

void StoredRows::release() {
  held_.clear();
  reader_.reset();
}

namespace {

class ChunkRows final : public graph::RowSource {
 public:
  explicit ChunkRows(std::unique_ptr<persist::RowReader> reader) : reader_(std::move(reader)) {}
  const float* row(NodeId node) override { return reader_->row(node); }
  Status why() const override { return reader_->why(); }

 private:
  const std::unique_ptr<persist::RowReader> reader_;
};

}  // namespace

Result<std::unique_ptr<graph::RowSource>> StoredPayload::open(Order order) {
  Result<std::unique_ptr<persist::RowReader>> reader =
      order == Order::kAscending ? records_.chunk_copier() : records_.row_reader();
  if (!reader) return reader.status();
  return std::unique_ptr<graph::RowSource>(new ChunkRows(std::move(*reader)));
}

}  // namespace vicinal::engine
