#include "persist/stored_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "persist/fixed_records.h"
#include "persist/journal.h"
#include "persist/range_tail.h"
#include "persist/records.h"

namespace vicinal::persist {
namespace {

/// The sequence that comes next.
Result<Sequence> next_sequence(Transaction& transaction, const IndexDatabases& databases,
                               std::uint32_t index) {
  StateRecord state;
  Status status = read_record(transaction, databases.meta, state_id(index), &state);
  if (!status.ok()) return status;
  const Result<Sequence> last = last_sequence(transaction, databases.journal);
  if (!last) return last.status();
  if (*last != 0 && *last <= state.applied) {
    return Status::corruption(fmt::format(
        "journal of index {} ends with entry {}, but {} are applied", index, *last, state.applied));
  }
  return std::max(*last, state.applied) + 1;
}

}  // namespace

Status StoredIndex::create(Transaction& transaction, std::uint32_t index,
                           const IndexDatabases& databases, const StoredOptions& options) {
  Bytes found;
  const Result<bool> in_use = databases.meta.get(transaction, options_id(index).key, &found);
  if (!in_use) return in_use.status();
  if (*in_use) {
    return Status::corruption(fmt::format("the next index is {}, and there is one", index));
  }
  const OptionsRecord record{options, rows_per_chunk_for(options.row_shape())};
  Status s = write_record(transaction, databases.meta, options_id(index), record);
  if (s.ok()) s = write_record(transaction, databases.meta, state_id(index), StateRecord{});
  if (s.ok()) s = write_tail(transaction, databases.nodes);
  return s.ok() ? write_tail(transaction, databases.journal) : s;
}

Result<std::unique_ptr<StoredIndex>> StoredIndex::open(Environment& environment,
                                                       Transaction& transaction, std::string name,
                                                       std::uint32_t index,
                                                       const IndexDatabases& databases) {
  OptionsRecord record;
  Status status = read_record(transaction, databases.meta, options_id(index), &record);
  if (!status.ok()) return status;
  const Result<Sequence> next = next_sequence(transaction, databases, index);
  if (!next) return next.status();
  std::unique_ptr<StoredIndex> opened(
      new StoredIndex{environment, std::move(name), index, databases, record.options,
                      ChunkLayout{index, record.options.row_shape(), record.rows_per_chunk}});
  opened->ledger.start(*next);
  return opened;
}

}  // namespace vicinal::persist
