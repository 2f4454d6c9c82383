#include "engine/fresh_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace vicinal::engine {

using graph::NodeId;
using graph::NodeState;

void FreshRows::add(NodeId node, std::span<const std::byte> row) {
  Row copy;
  if (keep_rows_) {
    std::shared_ptr<std::byte[]> owned(new std::byte[row.size()]);
    std::copy(row.begin(), row.end(), owned.get());
    copy = std::move(owned);
  }
  const internal::MutexLock lock(mutex_);
  rows_.insert_or_assign(node, std::move(copy));
}

void FreshRows::drop(std::span<const NodeId> nodes) {
  raise_epoch();
  const internal::MutexLock lock(mutex_);
  for (const NodeId node : nodes) rows_.erase(node);
}

bool FreshRows::contains(NodeId node) const {
  const internal::MutexLock lock(mutex_);
  return rows_.contains(node);
}

FreshRows::Row FreshRows::find(NodeId node) const {
  const internal::MutexLock lock(mutex_);
  const auto found = rows_.find(node);
  return found == rows_.end() ? nullptr : found->second;
}

std::vector<NodeId> FreshRows::nodes() const {
  const internal::MutexLock lock(mutex_);
  std::vector<NodeId> nodes;
  nodes.reserve(rows_.size());
  for (const auto& entry : rows_) nodes.push_back(entry.first);
  return nodes;
}

void FreshRows::drop_stored(const graph::Graph& graph, persist::IndexRecords& records) {
  // Some at a time: a snapshot and a moment hold up others, a growing map and slots to be reused.
  constexpr std::size_t kAtOnce = 256;
  const std::size_t row_bytes = graph.config().row_shape().bytes();
  const std::vector<NodeId> fresh = nodes();
  std::vector<NodeId> dropped;
  dropped.reserve(kAtOnce);
  for (std::size_t first = 0; first < fresh.size(); first += kAtOnce) {
    const graph::Moment inside(graph);  // first: no slot of a node met here changes hands since
    const Result<std::unique_ptr<persist::RowReader>> reader = records.row_reader();
    if (!reader) return;  // they stay until the next checkpoint, which costs memory only
    dropped.clear();
    for (std::size_t i = first; i < std::min(first + kAtOnce, fresh.size()); ++i) {
      const NodeState state = graph.state(fresh[i]);
      if (state != NodeState::kLive && state != NodeState::kTombstone) continue;
      // The slot may hold a newer vector by now, whose row is in the journal still: compare.
      const std::byte* const chunk = (*reader)->row(fresh[i]);
      const Row kept = find(fresh[i]);
      const std::byte* const newest = kept != nullptr ? kept.get() : graph.row(fresh[i]);
      if (chunk == nullptr || newest == nullptr) continue;
      if (std::memcmp(chunk, newest, row_bytes) == 0) dropped.push_back(fresh[i]);
    }
    drop(dropped);
  }
}

const std::byte* StoredRows::row(NodeId node) {
  const std::byte* found = nullptr;
  const std::uint32_t id = graph::raw(node);
  rows({&id, 1}, &found);
  return found;
}

void StoredRows::rows(std::span<const std::uint32_t> ids, const std::byte** out) {
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
      const NodeState state = graph_.state(node);
      const bool has_row = state != NodeState::kFree && state != NodeState::kPending;
      if (const std::byte* const kept = graph_.row(node)) {
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

}  // namespace vicinal::engine
