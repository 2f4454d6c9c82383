#include "engine/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/mutex.h"
#include "engine/index_core.h"
#include "engine/vector_check.h"
#include "graph/row_codec.h"

namespace vicinal::engine {

using graph::kNoNode;
using graph::NodeId;
using graph::NodeState;
using persist::NodesPiece;
using persist::PieceKind;

namespace {

constexpr std::size_t kRun = 256;        // nodes placed at once
constexpr std::size_t kLinksRun = 1024;  // nodes whose links are restored at once

/// The first failure of several threads.
class FirstFailure {
 public:
  bool any() const { return any_.load(std::memory_order_relaxed); }
  void note(Status status) {
    const internal::MutexLock lock(mutex_);
    if (any()) return;
    status_ = std::move(status);
    any_.store(true, std::memory_order_relaxed);
  }
  /// When the threads are done.
  Status take() {
    const internal::MutexLock lock(mutex_);
    return std::move(status_);
  }

 private:
  std::atomic<bool> any_{false};
  internal::Mutex mutex_;
  Status status_ VICINAL_GUARDED_BY(mutex_);
};

}  // namespace

Loader::Loader(IndexState& state, const persist::StreamHead& head)
    : state_(state),
      graph_(*state.graph),
      head_(head),
      workers_(state.workers(0)),
      reporter_(state.options.progress, "vectors") {}

Status Loader::run(persist::StreamReader& reader) {
  VICINAL_RETURN_IF_ERROR(check_flat());
  if (head_.has_links) graph_.begin_linking();  // a graph from the first node on
  for (;;) {
    const Result<persist::StreamReader::Piece> piece = reader.next();
    if (!piece) return piece.status();
    switch (piece->kind) {
      case PieceKind::kNodes:
        VICINAL_RETURN_IF_ERROR(place(piece->payload));
        break;
      case PieceKind::kLinks:
        VICINAL_RETURN_IF_ERROR(restore(piece->payload));
        break;
      case PieceKind::kHead:
      case PieceKind::kEnd:
        return finish();
    }
    if (reporter_.cancelled()) return cancelled();
  }
}

// What save() writes without links would otherwise be linked here: more work than the bytes are worth.
Status Loader::check_flat() const {
  IndexOptions options = state_.options;
  options.rebuild_on_upsert = false;  // which is not stored: such an index is never flat
  if (head_.has_links || graph::fits_flat(graph_config(options), head_.nodes)) return {};
  return Status::corruption(fmt::format("{} nodes of dimension {} without links: so many have some",
                                        head_.nodes, options.dimension));
}

Status Loader::cancelled() const {
  return Status::cancelled(
      fmt::format("loading cancelled after {} of {} vectors", placed_, head_.nodes));
}

Status Loader::place(persist::Bytes payload) {
  const Result<std::uint64_t> count = persist::nodes_in(payload, graph_.config().row_shape());
  if (!count) return count.status();
  if (nodes_ended_ || *count > head_.nodes - placed_) {
    return Status::corruption(
        fmt::format("{} nodes behind {} of {}", *count, placed_, head_.nodes));
  }
  const NodesPiece piece(*count, graph_.config().row_shape());
  VICINAL_RETURN_IF_ERROR(check_levels(payload.subspan(piece.levels, piece.count)));
  FirstFailure failure;
  const std::size_t runs = (piece.count + kRun - 1) / kRun;
  workers_.for_each(runs, 1, [&](std::size_t run) {
    if (failure.any()) return;
    const std::uint64_t begin = run * kRun;
    Status status =
        place_run(piece, payload.data(), begin, std::min<std::uint64_t>(begin + kRun, piece.count));
    if (!status.ok()) failure.note(std::move(status));
  });
  VICINAL_RETURN_IF_ERROR(failure.take());
  placed_ += piece.count;
  reporter_(placed_, head_.nodes);
  return {};
}

Status Loader::check_levels(std::span<const std::byte> levels) {
  std::uint64_t highest = 0;
  for (const std::byte level : levels) {
    highest = std::max(highest, std::to_integer<std::uint64_t>(level));
    levels_ += std::to_integer<std::uint64_t>(level);
  }
  const std::uint64_t came = placed_ + levels.size();  // not what the head says (E13)
  if (highest < graph::kMaxLevels && levels_ <= came + graph::kMaxLevels - 1) return {};
  return Status::corruption(
      fmt::format("{} nodes with level {} and {} levels in all", came, highest, levels_));
}

Status Loader::place_run(const NodesPiece& piece, const std::byte* from, std::uint64_t begin,
                         std::uint64_t end) {
  std::array<graph::StoredPayload, kRun> run;
  internal::Vector<float> room;
  for (std::uint64_t i = begin; i < end; ++i) {
    graph::StoredPayload& node = run[i - begin];
    node.node = NodeId{static_cast<std::uint32_t>(placed_ + i)};
    std::memcpy(&node.label, from + NodesPiece::kLabels + i * sizeof node.label, sizeof node.label);
    node.level = std::to_integer<graph::Level>(from[piece.levels + i]);
    node.state = static_cast<NodeState>(from[piece.states + i]);
    node.row = from + piece.rows + i * piece.row_bytes;
    const bool tombstone = node.state == NodeState::kTombstone && head_.has_links;
    if (node.state != NodeState::kLive && !tombstone) {
      return Status::corruption(fmt::format("node {} (label {}) has state {}", placed_ + i,
                                            node.label, static_cast<int>(node.state)));
    }
    const Status status = check_row(node.row, room);
    if (!status.ok()) {
      return Status::corruption(
          fmt::format("node {} (label {}): {}", placed_ + i, node.label, status.message()));
    }
  }
  return graph_.place_nodes(std::span(run).first(end - begin));
}

Status Loader::check_row(const std::byte* row, internal::Vector<float>& room) const {
  const graph::RowCodec& codec = graph_.codec();
  const std::span<const float> vector(codec.floats(row, room), state_.options.dimension);
  VICINAL_RETURN_IF_ERROR(check_vector(graph_.kernels(), state_.options.metric,
                                       state_.options.dimension, vector, {}, VectorOf::kStored));
  if (codec.canonical(row, vector.data())) return {};
  return Status::corruption(fmt::format("no row of {}", storage_name(state_.options.storage)));
}

Status Loader::end_nodes() {
  if (std::exchange(nodes_ended_, true)) return {};
  if (placed_ != head_.nodes || graph_.live() != head_.live) {
    return Status::corruption(fmt::format("{} nodes came, {} of them live; {} and {} were to come",
                                          placed_, graph_.live(), head_.nodes, head_.live));
  }
  VICINAL_RETURN_IF_ERROR(take_labels());
  graph_.finish_placing(placed_);
  return {};
}

Status Loader::take_labels() {
  state_.labels.reserve(placed_);
  const std::vector<NodeId> refused = state_.labels.take_live(workers_);
  if (!refused.empty()) {
    return Status::corruption(
        fmt::format("label {} has two live nodes, {} and {}", graph_.label(refused.front()),
                    graph::raw(state_.labels.find(graph_.label(refused.front()))),
                    graph::raw(refused.front())));
  }
  state_.labels.take_tombstones();
  return {};
}

Status Loader::restore(persist::Bytes payload) {
  VICINAL_RETURN_IF_ERROR(end_nodes());
  Result<persist::LinksReader> reader = persist::LinksReader::of(payload);
  if (!reader) return reader.status();
  if (!head_.has_links || reader->first() != restored_ ||
      reader->count() > head_.nodes - restored_) {
    return Status::corruption(fmt::format("links of {} nodes from {} on, behind {} of {}",
                                          reader->count(), reader->first(), restored_,
                                          head_.nodes));
  }
  internal::Vector<graph::LevelLinksView> lists;
  internal::Vector<graph::StoredLinks> nodes;
  internal::Vector<std::size_t> ends;
  std::array<graph::LevelLinksView, graph::kMaxLevels> levels;
  for (std::uint32_t i = 0; i < reader->count(); ++i) {
    const Result<std::size_t> count = reader->next(levels);
    if (!count) return count.status();
    if (*count == 0) continue;
    lists.insert(lists.end(), levels.begin(), levels.begin() + static_cast<std::ptrdiff_t>(*count));
    nodes.push_back({NodeId{static_cast<std::uint32_t>(restored_ + i)}, {}});
    ends.push_back(lists.size());
  }
  if (!reader->at_end()) return Status::corruption("bytes are left behind the links of a piece");
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::size_t begin = i == 0 ? 0 : ends[i - 1];
    nodes[i].levels = std::span(lists).subspan(begin, ends[i] - begin);
  }
  restored_ += reader->count();
  std::atomic<std::uint64_t> refused{0};
  workers_.for_each((nodes.size() + kLinksRun - 1) / kLinksRun, 1, [&](std::size_t run) {
    const std::size_t begin = run * kLinksRun;
    const graph::RestoredLinks report = graph_.restore_links(
        std::span(nodes).subspan(begin, std::min(kLinksRun, nodes.size() - begin)));
    refused += report.rejected_nodes + report.cut_nodes;
  });
  if (refused == 0) return {};
  return Status::corruption(fmt::format(
      "{} of {} nodes before {} have links that cannot be: too many, to themselves, twice, or to "
      "what is not there",
      refused.load(), nodes.size(), restored_));
}

Status Loader::finish() {
  VICINAL_RETURN_IF_ERROR(end_nodes());
  if (head_.has_links && restored_ != head_.nodes) {
    return Status::corruption(
        fmt::format("links of {} nodes came, there are {}", restored_, head_.nodes));
  }
  if (graph_.flat()) return {};
  // Lists that were read beside writers need not agree on parents, and an enemy's never do.
  graph_.finish_restoring(head_.entry_point, true, state_.threads_or(0));
  graph_.link_backlog(graph_.node_limit());  // where there were more than are flat
  const std::vector<NodeId> unlinked = graph_.unlinked_nodes();
  if (unlinked.empty()) return {};
  Reporter links(state_.options.progress, "links");
  graph_.link_batch(unlinked, state_.threads_or(0),
                    [&](std::uint64_t done, std::uint64_t total) { return links(done, total); });
  return links.cancelled() ? cancelled() : Status();
}

}  // namespace vicinal::engine
