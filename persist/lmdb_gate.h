// ReaderGate: readers are inside while they have a snapshot, and the map moves when nobody is.
//
// What: readers enter and leave; growing the map closes the gate, waits until they have left, and
// opens it again. So a thread that is inside must not close it, nor enter once more, nor call what users
// gave, who may do either, but by ReadTransaction::outside() or, where the snapshot must stay, as
// CallsBack. Who stays inside for long (a backup, a verification) is waited for with the gate still open:
// meanwhile only others who would stay wait. Reader slots of LMDB's are kept with it: a reader that leaves
// gives its own to the next.
// Ownership: owns the idle readers; drop_idle() before the environment is closed.
// Threads: any.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/mutex.h"

struct MDB_txn;

namespace vicinal::persist {

enum class Stay : std::uint8_t { kShort, kLong };

class VICINAL_CAPABILITY("gate") ReaderGate {
 public:
  ReaderGate() = default;
  ReaderGate(const ReaderGate&) = delete;
  ReaderGate& operator=(const ReaderGate&) = delete;

  /// Waits while the gate is closed. Returns an idle reader to be renewed, or null.
  MDB_txn* enter(Stay stay);
  /// As enter(), for a thread that has a reader of its own.
  void enter_again(Stay stay);
  /// `txn`, which may be null, is idle from now on, or ends when it is not `reusable`.
  void leave(MDB_txn* txn, bool reusable, Stay stay);
  /// Whether nobody is inside.
  bool empty() const;
  /// Ends the idle readers.
  void drop_idle();

  /// The calling thread, which is inside and stays so, calls what users gave: what it enters meanwhile
  /// waits for nobody, since whoever closes the gate waits for this thread; it must not close it itself.
  class CallsBack {
   public:
    explicit CallsBack(const ReaderGate& gate) : gate_(gate), outer_(innermost()) {
      innermost() = this;
    }
    ~CallsBack() { innermost() = outer_; }
    CallsBack(const CallsBack&) = delete;
    CallsBack& operator=(const CallsBack&) = delete;

   private:
    friend class ReaderGate;
    static const CallsBack*& innermost();

    const ReaderGate& gate_;
    const CallsBack* const outer_;
  };
  /// Whether the calling thread is inside such a call.
  bool calls_back() const;

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
  void enter_locked(Stay stay) VICINAL_REQUIRES(mutex_);

  bool closing_ VICINAL_GUARDED_BY(mutex_) = false;  ///< who stays for long is waited for
  bool closed_ VICINAL_GUARDED_BY(mutex_) = false;
  std::uint64_t readers_ VICINAL_GUARDED_BY(mutex_) = 0;
  std::uint64_t staying_ VICINAL_GUARDED_BY(mutex_) = 0;  ///< of them
  std::vector<MDB_txn*> idle_ VICINAL_GUARDED_BY(mutex_);
};

}  // namespace vicinal::persist
