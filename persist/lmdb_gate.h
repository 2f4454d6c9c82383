// ReaderGate: readers are inside while they have a snapshot, and the map moves when nobody is.
//
// What: readers enter and leave; growing the map closes the gate, waits until they have left, and
// opens it again. So a thread that is inside must not close it, nor enter once more, nor call what users
// gave, who may do either (ReadTransaction::outside()). Reader slots of LMDB's are kept with it: a reader
// that leaves gives its own to the next.
// Ownership: owns the idle readers; drop_idle() before the environment is closed.
// Threads: any.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/mutex.h"

struct MDB_txn;

namespace vicinal::persist {

class VICINAL_CAPABILITY("gate") ReaderGate {
 public:
  ReaderGate() = default;
  ReaderGate(const ReaderGate&) = delete;
  ReaderGate& operator=(const ReaderGate&) = delete;

  /// Waits while the gate is closed. Returns an idle reader to be renewed, or null.
  MDB_txn* enter();
  /// As enter(), for a thread that has a reader of its own.
  void enter_again();
  /// `txn`, which may be null, is idle from now on, or ends when it is not `reusable`.
  void leave(MDB_txn* txn, bool reusable);
  /// Whether nobody is inside.
  bool empty() const;
  /// Ends the idle readers.
  void drop_idle();

  /// Closes the gate and waits until no reader is inside; opens it again at the end of its life.
  class VICINAL_SCOPED_CAPABILITY Closed {
   public:
    explicit Closed(ReaderGate& gate) VICINAL_ACQUIRE(gate);
    ~Closed() VICINAL_RELEASE();
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;

   private:
    ReaderGate& gate_;
  };

 private:
  mutable internal::Mutex mutex_;
  internal::CondVar changed_;
  bool closed_ VICINAL_GUARDED_BY(mutex_) = false;
  std::uint64_t readers_ VICINAL_GUARDED_BY(mutex_) = 0;
  std::vector<MDB_txn*> idle_ VICINAL_GUARDED_BY(mutex_);
};

}  // namespace vicinal::persist
