#include "persist/index_stream.h"

#include <fmt/format.h>

#include <cstring>

namespace vicinal::persist {
namespace {

using graph::NodeId;

template <typename T>
void put(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

constexpr std::size_t kRowAlignment = 64;

}  // namespace

std::size_t put_head(const StreamHead& head, std::byte* payload) {
  const StoredOptions& o = head.options;
  put(payload, o.dimension);
  put(payload + 4, o.M);
  put(payload + 8, o.ef_construction);
  put(payload + 12, o.ef_search);
  put(payload + 16, o.seed);
  put(payload + 24, static_cast<std::uint8_t>(o.metric));
  put(payload + 25, static_cast<std::uint8_t>(o.quantization));
  put(payload + 26, static_cast<std::uint8_t>(head.has_links ? 1 : 0));
  put(payload + 27, static_cast<std::uint8_t>(head.entry_point.level));
  put(payload + 28, graph::raw(head.entry_point.node));
  put(payload + 32, head.nodes);
  put(payload + 40, head.live);
  if (o.storage == Storage::kFloat32) return StreamHead::kBytes;
  put(payload + 48, static_cast<std::uint64_t>(o.storage));
  return StreamHead::kStorageBytes;
}

Result<StreamHead> get_head(Bytes payload, std::uint32_t version) {
  const std::size_t expected =
      version == kStreamVersion ? StreamHead::kBytes : StreamHead::kStorageBytes;
  if (payload.size() != expected) {
    return Status::corruption(fmt::format("head of {} bytes, it has {}", payload.size(), expected));
  }
  StreamHead head;
  StoredOptions& o = head.options;
  o.dimension = value_at<std::uint32_t>(payload, 0);
  o.M = value_at<std::uint32_t>(payload, 4);
  o.ef_construction = value_at<std::uint32_t>(payload, 8);
  o.ef_search = value_at<std::uint32_t>(payload, 12);
  o.seed = value_at<std::uint64_t>(payload, 16);
  const auto metric = value_at<std::uint8_t>(payload, 24);
  const auto quantization = value_at<std::uint8_t>(payload, 25);
  const auto has_links = value_at<std::uint8_t>(payload, 26);
  if (metric > 2 || quantization > 1 || has_links > 1) {
    return Status::corruption(fmt::format("head with metric {}, quantization {} and links {}",
                                          metric, quantization, has_links));
  }
  if (version != kStreamVersion) {
    const auto storage = value_at<std::uint64_t>(payload, 48);
    if (storage < 1 || storage > static_cast<std::uint64_t>(Storage::kInt8)) {
      return Status::corruption(fmt::format("head with storage {}", storage));
    }
    o.storage = static_cast<Storage>(storage);
  }
  o.metric = static_cast<Metric>(metric);
  o.quantization = static_cast<Quantization>(quantization);
  head.has_links = has_links == 1;
  head.entry_point.level = value_at<std::uint8_t>(payload, 27);
  head.entry_point.node = NodeId{value_at<std::uint32_t>(payload, 28)};
  head.nodes = value_at<std::uint64_t>(payload, 32);
  head.live = value_at<std::uint64_t>(payload, 40);
  const bool entry = head.entry_point.node == graph::kNoNode ||
                     (head.has_links && graph::raw(head.entry_point.node) < head.nodes);
  if (head.nodes > graph::kMaxNodes || head.live > head.nodes || !entry ||
      (!head.has_links && head.live != head.nodes)) {
    return Status::corruption(fmt::format("head with {} nodes, {} live, links {}, entry point {}",
                                          head.nodes, head.live, head.has_links,
                                          graph::raw(head.entry_point.node)));
  }
  return head;
}

NodesPiece::NodesPiece(std::uint64_t n, const graph::RowShape& row)
    : count(n),
      row_bytes(row.bytes()),
      levels(kLabels + n * sizeof(Label)),
      states(levels + n),
      rows((states + n + kRowAlignment - 1) / kRowAlignment * kRowAlignment),
      bytes(rows + n * row_bytes) {}

std::uint64_t NodesPiece::most(std::size_t room, const graph::RowShape& row) {
  const std::size_t start = kLabels + kRowAlignment - 1;
  const std::size_t each = sizeof(Label) + 2 + row.bytes();
  return room < start ? 0 : (room - start) / each;
}

Result<std::uint64_t> nodes_in(Bytes payload, const graph::RowShape& row) {
  if (payload.size() >= NodesPiece::kLabels) {
    const auto count = value_at<std::uint64_t>(payload, 0);
    // Bounded first: a product may not overflow.
    if (count > 0 && count <= payload.size() && NodesPiece(count, row).bytes == payload.size()) {
      return count;
    }
    return Status::corruption(
        fmt::format("{} bytes for {} nodes of dimension {}", payload.size(), count, row.dimension));
  }
  return Status::corruption(fmt::format("nodes in {} bytes", payload.size()));
}

Result<LinksReader> LinksReader::of(Bytes payload) {
  LinksReader reader(payload);
  if (payload.size() >= kStart) {
    reader.first_ = value_at<std::uint32_t>(payload, 0);
    reader.count_ = value_at<std::uint32_t>(payload, 4);
    reader.at_ = kStart;
    if (reader.count_ > 0 && reader.count_ <= (payload.size() - kStart) / kNodeBytes) return reader;
  }
  return Status::corruption(
      fmt::format("{} bytes for the links of {} nodes", payload.size(), reader.count_));
}

Result<std::size_t> LinksReader::next(std::span<graph::LevelLinksView> levels) {
  const auto too_short = [&] {
    return Status::corruption(fmt::format("links end beyond their {} bytes", payload_.size()));
  };
  if (payload_.size() - at_ < kNodeBytes) return too_short();
  const auto lists = value_at<std::uint32_t>(payload_, at_);
  at_ += kNodeBytes;
  if (lists > levels.size()) {
    return Status::corruption(fmt::format("a node with links on {} levels", lists));
  }
  for (std::uint32_t level = 0; level < lists; ++level) {
    if (payload_.size() - at_ < kListBytes) return too_short();
    graph::LevelLinksView& list = levels[level];
    list.parent = NodeId{value_at<std::uint32_t>(payload_, at_)};
    list.child_count = value_at<std::uint16_t>(payload_, at_ + 4);
    const std::size_t count = value_at<std::uint16_t>(payload_, at_ + 6);
    at_ += kListBytes;
    if ((payload_.size() - at_) / sizeof(NodeId) < count) return too_short();
    list.ids = {reinterpret_cast<const NodeId*>(payload_.data() + at_), count};
    at_ += count * sizeof(NodeId);
  }
  return lists;
}

void put_list(NodeId parent, std::uint32_t children, std::uint32_t count, std::byte* at) {
  put(at, graph::raw(parent));
  put(at + 4, static_cast<std::uint16_t>(children));
  put(at + 6, static_cast<std::uint16_t>(count));
}

}  // namespace vicinal::persist
