#include "bench/vicinal_bench/live_history.h"

#include <algorithm>

namespace vicinal::bench {

Presence History::Tenure::in(std::int64_t begin, std::int64_t end) const {
  if (end < come_begin || go_end < begin) return Presence::kAbsent;
  return come_end <= begin && end <= go_begin ? Presence::kLive : Presence::kChanging;
}

History::History(std::span<const Entry> first, std::vector<Write> writes) {
  tenures_.reserve(first.size() + writes.size());
  for (const Entry& entry : first) tenures_.push_back({.entry = entry});
  std::unordered_map<Label, std::size_t> present;
  for (std::size_t i = 0; i < tenures_.size(); ++i) present[tenures_[i].entry.label] = i;
  // Writes of one label never overlap, so the order of their beginnings is theirs.
  std::sort(writes.begin(), writes.end(),
            [](const Write& a, const Write& b) { return a.begin < b.begin; });
  for (const Write& write : writes) {
    if (write.row_out != kNoRow) {
      Tenure& ended = tenures_[present.at(write.label)];
      ended.go_begin = write.begin;
      ended.go_end = write.end;
    }
    if (write.row_in == kNoRow) continue;
    present[write.label] = tenures_.size();
    tenures_.push_back(
        {.entry = {write.label, write.row_in}, .come_begin = write.begin, .come_end = write.end});
  }
  for (std::size_t i = 0; i < tenures_.size(); ++i) {
    by_row_[tenures_[i].entry.row].push_back(i);
    by_label_[tenures_[i].entry.label].push_back(i);
  }
  rows_.reserve(by_row_.size());
  for (const auto& [row, held] : by_row_) rows_.push_back(row);
  std::sort(rows_.begin(), rows_.end());
}

History::Holder History::holder(std::uint32_t row, std::int64_t begin, std::int64_t end) const {
  const auto held = by_row_.find(row);
  if (held == by_row_.end()) return {};
  Holder holder;
  for (const std::size_t i : held->second) {
    const Presence presence = tenures_[i].in(begin, end);
    if (presence == Presence::kAbsent) continue;
    holder = {presence, tenures_[i].entry.label};
    if (presence == Presence::kLive) break;
  }
  return holder;
}

Presence History::label(Label label, std::int64_t begin, std::int64_t end) const {
  const auto held = by_label_.find(label);
  if (held == by_label_.end()) return Presence::kAbsent;
  Presence presence = Presence::kAbsent;
  for (const std::size_t i : held->second) {
    const Presence one = tenures_[i].in(begin, end);
    if (one == Presence::kLive) return one;
    if (one == Presence::kChanging) presence = one;
  }
  return presence;
}

}  // namespace vicinal::bench
