#include "persist/scattered_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace vicinal::persist {
namespace {

// To find and read an entry costs as much as writing so many bytes.
constexpr std::uint64_t kEntryCost = 256;

}  // namespace

void ScatteredRows::see(Sequence sequence, graph::NodeId node) {
  const std::uint64_t id = graph::raw(node);
  // Writers that run side by side take slots and sequences in slightly different orders.
  if (id + layout_.rows_per_chunk >= expected_) {
    expected_ = std::max(expected_, id + 1);
    return;
  }
  by_chunk_.push_back({node, sequence});
  sequences_.push_back(sequence);
}

void ScatteredRows::sort() {
  std::sort(by_chunk_.begin(), by_chunk_.end(), [](const Row& a, const Row& b) {
    return a.node != b.node ? a.node < b.node : a.sequence < b.sequence;
  });
}

bool ScatteredRows::contains(Sequence sequence) const {
  return std::binary_search(sequences_.begin(), sequences_.end(), sequence);
}

Status ScatteredRows::store(Transaction& transaction, const IndexDatabases& databases,
                            const FreedNodes& freed, std::uint64_t bytes, std::size_t* next,
                            std::uint64_t* count) const {
  for (std::uint64_t stored = 0; *next < by_chunk_.size() && stored < bytes;) {
    const std::uint32_t chunk = layout_.chunk_of(by_chunk_[*next].node);
    std::deque<JournalEntry> entries;  // which the rows point into
    std::vector<RowToStore> rows;
    for (; *next < by_chunk_.size() && layout_.chunk_of(by_chunk_[*next].node) == chunk; ++*next) {
      const Row& row = by_chunk_[*next];
      // The row of the slot's next node may be there already (R1).
      if (freed.doomed(row.node, row.sequence)) continue;
      Status s = read_entry(transaction, databases.journal, layout_.row, row.sequence,
                            &entries.emplace_back());
      if (!s.ok()) return s;
      rows.push_back({layout_.slot_of(row.node), entries.back().row.data()});
    }
    if (rows.empty()) continue;
    Status s = write_rows(transaction, databases.vectors, layout_, chunk, rows);
    if (!s.ok()) return s;
    *count += rows.size();
    stored += layout_.chunk_bytes() + kEntryCost * rows.size();
  }
  return {};
}

}  // namespace vicinal::persist
