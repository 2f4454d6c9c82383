#include "persist/lmdb_gate.h"

#include <lmdb.h>

#include <new>

namespace vicinal::persist {

ReaderGate::Closed::Closed(ReaderGate& gate) : gate_(gate) {
  const internal::MutexLock lock(gate_.mutex_);
  while (gate_.closed_ || gate_.closing_) gate_.changed_.wait(gate_.mutex_);
  gate_.closing_ = true;
  while (gate_.staying_ != 0) gate_.changed_.wait(gate_.mutex_);
  gate_.closing_ = false;
  gate_.closed_ = true;
  while (gate_.readers_ != 0) gate_.changed_.wait(gate_.mutex_);
}

ReaderGate::Closed::~Closed() {
  const internal::MutexLock lock(gate_.mutex_);
  gate_.closed_ = false;
  gate_.changed_.notify_all();
}

const ReaderGate::CallsBack*& ReaderGate::CallsBack::innermost() {
  static thread_local const CallsBack* calls = nullptr;
  return calls;
}

bool ReaderGate::calls_back() const {
  for (const CallsBack* calls = CallsBack::innermost(); calls != nullptr; calls = calls->outer_) {
    if (&calls->gate_ == this) return true;
  }
  return false;
}

void ReaderGate::enter_locked(Stay stay) {
  while (closed_ || (closing_ && stay == Stay::kLong)) {
    if (calls_back()) break;
    changed_.wait(mutex_);
  }
  ++readers_;
  if (stay == Stay::kLong) ++staying_;
}

MDB_txn* ReaderGate::enter(Stay stay) {
  const internal::MutexLock lock(mutex_);
  enter_locked(stay);
  if (idle_.empty()) return nullptr;
  MDB_txn* txn = idle_.back();
  idle_.pop_back();
  return txn;
}

void ReaderGate::enter_again(Stay stay) {
  const internal::MutexLock lock(mutex_);
  enter_locked(stay);
}

void ReaderGate::leave(MDB_txn* txn, bool reusable, Stay stay) {
  if (txn != nullptr && !reusable) mdb_txn_abort(txn);
  const internal::MutexLock lock(mutex_);
  if (txn != nullptr && reusable) {
    try {
      idle_.push_back(txn);
    } catch (const std::bad_alloc&) {
      mdb_txn_abort(txn);  // a reader that is not kept for the next one
    }
  }
  const bool last_staying = stay == Stay::kLong && --staying_ == 0 && closing_;
  const bool last = --readers_ == 0 && closed_;
  if (last || last_staying) changed_.notify_all();
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
