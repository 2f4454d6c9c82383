// SequenceLedger: hands out sequences and knows which operations are not yet applied in memory.
//
// Ownership: a ledger outlives the sequences it allotted.
// Threads: any.
#pragma once

#include <set>
#include <utility>

#include "engine/base/mutex.h"
#include "persist/operations.h"

namespace vicinal::persist {

class SequenceLedger {
 public:
  /// Before any other use: the first sequence that allot() returns.
  void start(Sequence next) {
    const internal::MutexLock lock(mutex_);
    next_ = next;
  }

  /// The next sequence, unfinished from now on. Called inside the write transaction that stores it,
  /// before its commit, so that no checkpoint can see the entry and believe it finished.
  Sequence allot() {
    const internal::MutexLock lock(mutex_);
    unfinished_.insert(next_);
    return next_++;
  }
  /// The operation is applied, or its transaction came to nothing.
  void finish(Sequence sequence) {
    const internal::MutexLock lock(mutex_);
    unfinished_.erase(sequence);
  }
  /// Every entry up to this is finished.
  Sequence cut() const {
    const internal::MutexLock lock(mutex_);
    return (unfinished_.empty() ? next_ : *unfinished_.begin()) - 1;
  }

 private:
  mutable internal::Mutex mutex_;
  std::set<Sequence> unfinished_ VICINAL_GUARDED_BY(mutex_);
  Sequence next_ VICINAL_GUARDED_BY(mutex_) = 1;
};

/// One sequence of a transaction: finished when that comes to nothing, however it ends.
class AllottedSequence {
 public:
  explicit AllottedSequence(SequenceLedger& ledger) : ledger_(ledger) {}
  ~AllottedSequence() { finish(); }
  AllottedSequence(const AllottedSequence&) = delete;
  AllottedSequence& operator=(const AllottedSequence&) = delete;

  /// Another one in place of the last.
  void allot() {
    finish();
    sequence_ = ledger_.allot();
  }
  Sequence get() const { return sequence_; }
  /// It counts: somebody else finishes it.
  Sequence keep() { return std::exchange(sequence_, 0); }

 private:
  void finish() {
    if (sequence_ != 0) ledger_.finish(sequence_);
    sequence_ = 0;
  }

  SequenceLedger& ledger_;
  Sequence sequence_ = 0;
};

}  // namespace vicinal::persist
