// The tail of a range: how many records of an index a shared database has.
//
// What: LMDB counts the records of a database, and databases are shared: so node blocks and journal
// entries are counted by a record of their own, behind the last of them (FORMAT.md). It is changed
// in the transaction that adds or deletes one, and lies in the same page as the last: keeping it
// costs no page, and a journal that grows before it fills its pages.
// Ownership: the transaction outlives them.
// Threads: the transaction's.
//
// Invariants:
//   R4  A range that is counted is changed through CountedRange alone: its tail says how many
//       records there are and how long they are, and loading and verify() hold it against what they
//       find. So no record is lost, and none comes from elsewhere, without a word.
#pragma once

#include "persist/index_range.h"
#include "persist/records.h"
#include "vicinal/status.h"

namespace vicinal::persist {

/// Errors: kCorruption when it is missing or damaged.
Result<TailRecord> read_tail(Transaction& transaction, const IndexRange& range);

/// Gives a range without records its tail, or one whose records were changed by hand a new one.
/// Walks the range.
Status write_tail(Transaction& transaction, const IndexRange& range);

/// Changes a counted range in a write transaction; flush() at its end.
class CountedRange {
 public:
  CountedRange(Transaction& transaction, const IndexRange& range)
      : transaction_(transaction), range_(range) {}

  /// kReplace: whether it is there or not; kNew: it is not.
  Status put(Bytes key, Bytes value, PutMode mode);
  /// Absent keys are no error.
  Status remove(Bytes key);
  Status flush();

  std::uint32_t index() const { return range_.index(); }

 private:
  /// Takes what is stored under `key` out of the count.
  Result<bool> discount(Bytes key);
  Status read();

  Transaction& transaction_;
  const IndexRange range_;
  bool known_ = false;  ///< the tail was read
  TailRecord tail_;
};

}  // namespace vicinal::persist
