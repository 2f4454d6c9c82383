#include "persist/stored_index.h"

#include <fmt/format.h>

#include <utility>

#include "persist/fixed_records.h"
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
  Bytes key;
  const Result<bool> any = databases.journal.last_key(transaction, &key);
  if (!any) return any.status();
  if (!*any) return state.applied + 1;
  Sequence last = 0;
  if (!parse_key(key, &last) || last <= state.applied) {
    return Status::corruption(fmt::format(
        "journal of index {} ends with entry {}, but {} are applied", index, last, state.applied));
  }
  return last + 1;
}

}  // namespace

Status StoredIndex::create(Transaction& transaction, std::uint32_t index,
                           const IndexDatabases& databases, const StoredOptions& options) {
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
