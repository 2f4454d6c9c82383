#include "persist/link_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "persist/codec.h"

namespace vicinal::persist {
namespace {

constexpr std::size_t kRecordsAtOnce = 4096;  // 32,768 nodes, some 5 MB at 16 links a node
constexpr std::size_t kRecordsPerSlice = 64;
constexpr std::uint64_t kRecordsPerStep = 4096;  // records

/// Views of `links`, of the nodes that `delivered` marks.
class Views {
 public:
  Views(const FlatLinks& links, const std::vector<bool>& delivered) {
    levels_.reserve(links.lists.size());  // the spans into it must stay
    std::size_t list = 0;
    std::span<const graph::NodeId> ids = links.ids;
    for (const FlatLinks::Node& node : links.nodes) {
      const std::size_t begin = levels_.size();
      for (std::uint32_t level = 0; level < node.levels; ++level, ++list) {
        const FlatLinks::List& l = links.lists[list];
        levels_.push_back({l.parent, l.child_count, ids.first(l.count)});
        ids = ids.subspan(l.count);
      }
      const std::uint32_t id = graph::raw(node.node);
      if (id >= delivered.size() || !delivered[id]) continue;
      nodes_.push_back({node.node, std::span(levels_).subspan(begin)});
    }
  }
  std::span<const graph::StoredLinks> nodes() const { return nodes_; }

 private:
  std::vector<graph::LevelLinksView> levels_;
  std::vector<graph::StoredLinks> nodes_;
};

}  // namespace

Status LinkLoader::run(const Tell& tell, const Damaged& damaged) {
  std::optional<Result<IndexRange::Walk>> cursor(links_.walk(transaction_));
  if (!cursor->ok()) return cursor->status();
  std::uint64_t found = 0;
  Result<bool> more = (*cursor)->first();
  for (; more.ok() && *more; more = (*cursor)->next()) {
    std::uint32_t number = 0;
    if (found++ % kRecordsPerStep == 0 && parse_key((*cursor)->key(), &number)) {
      if (Status s = deliver(damaged); !s.ok()) return s;
      cursor.reset();  // see LoadContext::tell()
      if (Status s = tell(std::uint64_t{number} * kNodesPerLinkGroup); !s.ok()) return s;
      cursor.emplace(links_.walk(transaction_));
      if (!cursor->ok()) return cursor->status();
      more = (*cursor)->seek(Key32(number).bytes());
      if (!more.ok() || !*more) break;
    }
    records_.push_back({(*cursor)->key(), (*cursor)->value()});
    if (records_.size() < kRecordsAtOnce) continue;
    if (Status s = deliver(damaged); !s.ok()) return s;
  }
  if (!more.ok()) return more.status();
  return deliver(damaged);
}

Status LinkLoader::deliver(const Damaged& damaged) {
  const std::span<const Record> records(records_);
  slices_.assign((records.size() + kRecordsPerSlice - 1) / kRecordsPerSlice, {});
  options_.workers.for_each(slices_.size(), 1, [&](std::size_t i) {
    const std::size_t begin = i * kRecordsPerSlice;
    const std::size_t count = std::min(kRecordsPerSlice, records.size() - begin);
    deliver_slice(records.subspan(begin, count), &slices_[i]);
  });
  records_.clear();
  for (Slice& slice : slices_) {
    for (auto& [message, key] : slice.damage) {
      damaged(std::move(message), {key.begin(), key.end()});
    }
    if (!slice.failure.ok()) return slice.failure;
  }
  return {};
}

void LinkLoader::deliver_slice(std::span<const Record> records, Slice* slice) const {
  FlatLinks links;
  std::size_t bytes = 0;
  for (const Record& record : records) bytes += record.value.size();
  links.ids.reserve(bytes / sizeof(graph::NodeId));
  for (const Record& record : records) {
    const Status status = read_group(record, &links);
    if (status.code() == StatusCode::kFormatVersion) {
      slice->failure = status;
      return;
    }
    if (!status.ok()) slice->damage.emplace_back(status.message(), record.key);
  }
  const Views views(links, delivered_);
  if (!views.nodes().empty()) slice->failure = visitor_.links(views.nodes());
}

Status LinkLoader::read_group(const Record& record, FlatLinks* links) const {
  std::uint32_t number = 0;
  const RecordId id{RecordKind::kLinks, links_.index(), record.key};
  if (!parse_key(record.key, &number)) {
    return Status::corruption("links record with a wrong key");
  }
  Result<Bytes> payload = unseal(id, record.value);
  if (!payload) return payload.status();
  const std::uint64_t first = std::uint64_t{number} * kNodesPerLinkGroup;
  if (first >= graph::kMaxNodes) return {};  // of nodes that cannot be
  const FlatLinks::Mark before = links->mark();
  Status status = decode(*payload, graph::NodeId{static_cast<std::uint32_t>(first)}, links);
  if (!status.ok()) return Status::corruption(describe(id) + ": " + status.message());
  std::uint32_t greatest = 0;
  for (std::size_t i = before.ids; i < links->ids.size(); ++i) {
    greatest = std::max(greatest, graph::raw(links->ids[i]));
  }
  if (links->ids.size() == before.ids || greatest < delivered_.size()) return {};
  const auto wrong =
      std::find_if(links->ids.begin() + static_cast<std::ptrdiff_t>(before.ids), links->ids.end(),
                   [&](graph::NodeId node) { return graph::raw(node) >= delivered_.size(); });
  const std::uint32_t stranger = graph::raw(*wrong);
  links->cut_to(before);
  return Status::corruption(fmt::format("{}: a link to node {}, the index has {}", describe(id),
                                        stranger, delivered_.size()));
}

}  // namespace vicinal::persist
