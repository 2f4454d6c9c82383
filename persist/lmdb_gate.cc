#include "persist/lmdb_gate.h"

#include <lmdb.h>

#include <new>

namespace vicinal::persist {

ReaderGate::Closed::Closed(ReaderGate& gate) : gate_(gate) {
  const internal::MutexLock lock(gate_.mutex_);
  while (gate_.closed_) gate_.changed_.wait(gate_.mutex_);
  gate_.closed_ = true;
  while (gate_.readers_ != 0) gate_.changed_.wait(gate_.mutex_);
}

ReaderGate::Closed::~Closed() {
  const internal::MutexLock lock(gate_.mutex_);
  gate_.closed_ = false;
  gate_.changed_.notify_all();
}

MDB_txn* ReaderGate::enter() {
  const internal::MutexLock lock(mutex_);
  while (closed_) changed_.wait(mutex_);
  ++readers_;
  if (idle_.empty()) return nullptr;
  MDB_txn* txn = idle_.back();
  idle_.pop_back();
  return txn;
}

void ReaderGate::enter_again() {
  const internal::MutexLock lock(mutex_);
  while (closed_) changed_.wait(mutex_);
  ++readers_;
}

void ReaderGate::leave(MDB_txn* txn, bool reusable) {
  if (txn != nullptr && !reusable) mdb_txn_abort(txn);
  const internal::MutexLock lock(mutex_);
  if (txn != nullptr && reusable) {
    try {
      idle_.push_back(txn);
    } catch (const std::bad_alloc&) {
      mdb_txn_abort(txn);  // a reader that is not kept for the next one
    }
  }
  if (--readers_ == 0 && closed_) changed_.notify_all();
}

bool ReaderGate::empty() const {
  const internal::MutexLock lock(mutex_);
  return readers_ == 0;
}

void ReaderGate::drop_idle() {
  const internal::MutexLock lock(mutex_);
  for (MDB_txn* txn : idle_) mdb_txn_abort(txn);
  idle_.clear();
}

}  // namespace vicinal::persist
