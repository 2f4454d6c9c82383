#include "persist/link_writer.h"

#include <algorithm>
#include <map>
#include <optional>

#include "persist/codec.h"
#include "persist/records.h"

namespace vicinal::persist {
namespace {

// Of a group with M 16.
constexpr std::uint64_t kTypicalRecord = 1536;

}  // namespace

Result<LinkWriter::Step> LinkWriter::collect(CheckpointSource* source,
                                             const std::vector<graph::NodeId>& nodes,
                                             std::uint64_t bytes, std::size_t* next) const {
  std::map<std::uint32_t, std::vector<Change>> groups;
  for (std::uint64_t written = 0; *next < nodes.size() && written < bytes; ++*next) {
    const std::uint32_t id = graph::raw(nodes[*next]);
    graph::NodeLinks links;
    if (source != nullptr) links = source->links(nodes[*next]);
    std::uint64_t own = 16;
    for (const graph::LevelLinks& level : links) own += 8 + 4 * level.ids.size();
    std::vector<Change>& group = groups[id / kNodesPerLinkGroup];
    // The whole record is written, whether one of its nodes changed, or became free, or all.
    if (group.empty()) written += std::max(own * kNodesPerLinkGroup, kTypicalRecord);
    group.emplace_back(id % kNodesPerLinkGroup, std::move(links));
  }
  Result<ReadTransaction> transaction = environment_.read();
  if (!transaction) return transaction.status();
  Step step;
  step.reserve(groups.size());
  for (const auto& [group, changes] : groups) {
    Result<RecordBuffer> made = record(**transaction, group, changes);
    if (!made) return made.status();
    step.emplace_back(group, std::move(*made));
  }
  return step;
}

Result<RecordBuffer> LinkWriter::record(Transaction& transaction, std::uint32_t number,
                                        const std::vector<Change>& changes) const {
  const Key32 key(number);
  const RecordId id{RecordKind::kLinks, links_.index(), key.bytes()};
  LinkGroup group(kNodesPerLinkGroup);
  Bytes value;
  Result<bool> found = links_.get(transaction, key.bytes(), &value);
  if (!found) return found.status();
  if (*found) {
    // A damaged record was reported by load(), and the engine has linked its nodes anew.
    Result<Bytes> payload = unseal(id, value);
    if (!payload.ok() || !decode(*payload, &group).ok()) group.assign(kNodesPerLinkGroup, {});
  }
  for (const auto& [slot, node_links] : changes) group[slot] = node_links;
  if (std::all_of(group.begin(), group.end(), [](const auto& l) { return l.empty(); })) {
    return RecordBuffer();
  }
  RecordBuffer sealed = encode(group);
  seal(id, &sealed);
  return sealed;
}

Status LinkWriter::store(Transaction& transaction, const Step& step) const {
  Bytes key_of_last;
  const Result<bool> any = links_.last_key(transaction, &key_of_last);
  if (!any) return any.status();
  std::uint32_t last = 0;
  // Behind a damaged key nothing is appended.
  std::optional<std::uint64_t> fresh = 0;  // the least group that is not there
  if (*any) {
    fresh = parse_key(key_of_last, &last) ? std::optional(last + std::uint64_t{1}) : std::nullopt;
  }
  for (const auto& [group, sealed] : step) {
    const Key32 key(group);
    const bool at_end = fresh && group >= *fresh;
    Status s = sealed.empty() ? links_.remove(transaction, key.bytes())
                              : links_.put(transaction, key.bytes(), sealed,
                                           at_end ? PutMode::kAppend : PutMode::kReplace);
    if (!s.ok()) return s;
    if (at_end && !sealed.empty()) fresh = group + std::uint64_t{1};
  }
  return {};
}

}  // namespace vicinal::persist
