#include "engine/saver.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "engine/options_check.h"

namespace vicinal::engine {

using graph::kNoNode;
using graph::Level;
using graph::NodeId;
using graph::NodeState;
using persist::LinksReader;
using persist::NodesPiece;
using persist::PieceKind;

namespace {

// Of a piece as they are written. bench stream: pieces of 32 MiB were loaded more slowly, since what is
// read is out of the caches when it is checked, and again when it is placed.
constexpr std::size_t kUsualPiece = 4 << 20;
// A node's lists on all levels, at the largest M.
constexpr std::size_t kMostLinks =
    LinksReader::kNodeBytes +
    graph::kMaxLevels * (LinksReader::kListBytes + 2 * 64 * sizeof(NodeId));

std::size_t buffer_bytes(const IndexOptions& options, std::uint64_t limit) {
  const graph::RowShape row(options.dimension, options.storage);
  // At least one node, and its links. More than there are nodes for would never be used.
  const std::size_t least = std::max(NodesPiece(1, row).bytes, LinksReader::kStart + kMostLinks);
  const std::uint64_t some = std::min<std::uint64_t>(limit, kUsualPiece);  // no product overflows
  const std::uint64_t all = NodesPiece(some, row).bytes;
  return persist::StreamWriter::kBeside +
         std::max<std::size_t>(least, std::min<std::uint64_t>(all, kUsualPiece));
}

}  // namespace

SaveRoom::SaveRoom(const IndexOptions& options, std::uint64_t limit)
    : numbers(limit), buffer(buffer_bytes(options, limit)) {}

Status Saver::run() {
  room_.numbers.clear();  // of a save before
  for (std::uint64_t i = 0; i < view_.limit(); ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    const NodeState s = view_.state(node);
    if (s != NodeState::kFree) room_.numbers.choose(node, s == NodeState::kLive);
  }
  room_.numbers.finish();
  VICINAL_RETURN_IF_ERROR(write_head());
  VICINAL_RETURN_IF_ERROR(write_nodes());
  if (!view_.flat()) VICINAL_RETURN_IF_ERROR(write_links());
  return writer_.hand_over(PieceKind::kEnd, 0);
}

Status Saver::write_head() {
  persist::StreamHead head;
  head.options = stored_part(state_.options);
  head.has_links = !view_.flat();
  const graph::EntryPoint entry = view_.entry_point();
  if (entry.node != kNoNode && room_.numbers.contains(entry.node)) {
    head.entry_point = {room_.numbers.number(entry.node), entry.level};
  }
  head.nodes = room_.numbers.count();
  head.live = room_.numbers.live_count();
  return writer_.hand_over(PieceKind::kHead, persist::put_head(head, writer_.room().data()));
}

Status Saver::write_nodes() {
  const graph::RowShape row = state_.graph->config().row_shape();
  const std::uint64_t most = NodesPiece::most(writer_.room().size(), row);
  NodeId node = room_.numbers.next(0);
  for (std::uint64_t left = room_.numbers.count(); left > 0;) {
    const NodesPiece piece(std::min(left, most), row);
    const Result<NodeId> next = fill(piece, node);
    if (!next) return next.status();
    VICINAL_RETURN_IF_ERROR(writer_.hand_over(PieceKind::kNodes, piece.bytes));
    node = *next;
    left -= piece.count;
  }
  return {};
}

Result<NodeId> Saver::fill(const NodesPiece& piece, NodeId first) {
  std::byte* const to = writer_.room().data();
  std::memcpy(to, &piece.count, sizeof piece.count);
  std::memset(to + piece.states + piece.count, 0, piece.rows - piece.states - piece.count);
  const graph::Graph& graph = *state_.graph;
  NodeId node = first;
  for (std::uint64_t i = 0; i < piece.count; ++i) {
    const Label label = graph.label(node);
    // As it was chosen: a resurrection may have come between (V4).
    const NodeState s = room_.numbers.live(node) ? NodeState::kLive : NodeState::kTombstone;
    std::memcpy(to + NodesPiece::kLabels + i * sizeof label, &label, sizeof label);
    to[piece.levels + i] = static_cast<std::byte>(graph.level(node));
    to[piece.states + i] = static_cast<std::byte>(s);
    const std::byte* const row = state_.row(node, rows_);
    if (row == nullptr) return unreadable(node);
    std::memcpy(to + piece.rows + i * piece.row_bytes, row, piece.row_bytes);
    node = room_.numbers.next(std::uint64_t{graph::raw(node)} + 1);
  }
  if (rows_ != nullptr) rows_->release();  // the sink may use the store
  return node;
}

Status Saver::unreadable(NodeId node) const {
  const Status why = rows_ == nullptr ? Status() : rows_->why();
  return Status(why.ok() ? StatusCode::kIoError : why.code(),
                fmt::format("the vector of label {} in index \"{}\" cannot be read: {}",
                            state_.graph->label(node), state_.name, why.message()));
}

Status Saver::write_links() {
  const auto room = writer_.room();
  std::byte* const begin = room.data();
  std::byte* at = begin + LinksReader::kStart;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  const auto hand_over = [&]() -> Status {
    std::memcpy(begin, &first, sizeof first);
    std::memcpy(begin + sizeof first, &count, sizeof count);
    VICINAL_RETURN_IF_ERROR(
        writer_.hand_over(PieceKind::kLinks, static_cast<std::size_t>(at - begin)));
    first += count;
    count = 0;
    at = begin + LinksReader::kStart;
    return {};
  };
  for (NodeId node = room_.numbers.next(0); node != kNoNode;
       node = room_.numbers.next(std::uint64_t{graph::raw(node)} + 1)) {
    const std::size_t bytes = gather(node);
    if (bytes > room.size() - static_cast<std::size_t>(at - begin)) {
      VICINAL_RETURN_IF_ERROR(hand_over());
    }
    at = put_links(at);
    ++count;
  }
  return count > 0 ? hand_over() : Status();
}

std::size_t Saver::gather(NodeId node) {
  level_count_ = view_.linked(node) ? std::size_t{state_.graph->level(node)} + 1 : 0;
  std::size_t bytes = LinksReader::kNodeBytes;
  for (Level level = 0; level < level_count_; ++level) {
    levels_[level] = view_.links(node, level);
    bytes += LinksReader::kListBytes + levels_[level].ids.size_bytes();
  }
  return bytes;
}

std::byte* Saver::put_links(std::byte* at) const {
  const auto lists = static_cast<std::uint32_t>(level_count_);
  std::memcpy(at, &lists, sizeof lists);
  at += LinksReader::kNodeBytes;
  for (Level level = 0; level < level_count_; ++level) {
    const graph::LevelLinksView& list = levels_[level];
    std::byte* const start = at;
    at += LinksReader::kListBytes;
    std::uint32_t children = 0;
    std::uint32_t count = 0;
    NodeId parent = kNoNode;
    for (std::size_t i = 0; i < list.ids.size(); ++i) {
      if (!room_.numbers.contains(list.ids[i])) continue;
      const NodeId number = room_.numbers.number(list.ids[i]);
      if (i < list.child_count) ++children;
      if (list.ids[i] == list.parent) parent = number;
      std::memcpy(at, &number, sizeof number);
      at += sizeof number;
      ++count;
    }
    persist::put_list(parent, children, count, start);
  }
  return at;
}

}  // namespace vicinal::engine
