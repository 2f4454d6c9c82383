#include "persist/lmdb_gate.h"

#include <lmdb.h>

#include <new>

namespace vicinal::persist {

ReaderGate::Closed::Closed(ReaderGate& gate) : gate_(gate) {
  std::unique_lock lock(gate_.mutex_);
  gate_.changed_.wait(lock, [&] { return !gate_.closed_; });
  gate_.closed_ = true;
  gate_.changed_.wait(lock, [&] { return gate_.readers_ == 0; });
}

ReaderGate::Closed::~Closed() {
  const std::lock_guard lock(gate_.mutex_);
  gate_.closed_ = false;
  gate_.changed_.notify_all();
}

MDB_txn* ReaderGate::enter() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !closed_; });
  ++readers_;
  if (idle_.empty()) return nullptr;
  MDB_txn* txn = idle_.back();
  idle_.pop_back();
  return txn;
}

void ReaderGate::leave(MDB_txn* txn, bool reusable) {
  if (txn != nullptr && !reusable) mdb_txn_abort(txn);
  const std::lock_guard lock(mutex_);
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
  const std::lock_guard lock(mutex_);
  return readers_ == 0;
}

void ReaderGate::drop_idle() {
  const std::lock_guard lock(mutex_);
  for (MDB_txn* txn : idle_) mdb_txn_abort(txn);
  idle_.clear();
}

}  // namespace vicinal::persist
