// CommitQueue: group commit. Whoever waits while a commit syncs is stored by the next one.
//
// One queue per environment: entries of several indexes share a transaction. The first thread that
// finds no leader leads: it waits for the writer's lock, takes everybody who has queued by then,
// commits once and wakes them. Threads: any.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "persist/envelope.h"
#include "persist/lmdb_env.h"
#include "persist/sequences.h"

namespace vicinal::persist {

class CommitQueue {
 public:
  explicit CommitQueue(Environment* environment) : environment_(environment) {}

  /// Where an index keeps its journal.
  struct Target {
    DatabaseHandle journal = 0;
    std::uint32_t index = 0;
    SequenceLedger* ledger = nullptr;
  };

  /// Stores `record` (encoded, not sealed) under the next sequence of `target` and returns that
  /// sequence once it is committed. The sequence stays unfinished in the ledger.
  Result<Sequence> append(const Target& target, RecordBuffer record);

 private:
  using Clock = std::chrono::steady_clock;

  struct Waiter {
    const Target* target;
    RecordBuffer* record;
    Sequence sequence = 0;
    Status status;
    bool done = false;
  };

  void lead(std::unique_lock<std::mutex>& lock);
  void dally(std::unique_lock<std::mutex>& lock);
  Status commit(std::vector<Waiter*>& group, bool take);
  Status store_all(Transaction& transaction, std::vector<Waiter*>& group);
  static void forget(std::vector<Waiter*>& group);

  Environment* environment_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::vector<Waiter*> waiting_;
  bool leading_ = false;
  std::size_t last_group_ = 0;  // waiters of the previous commit
  std::size_t group_before_last_ = 0;
  Clock::duration commit_time_{};  // of the previous commit
};

}  // namespace vicinal::persist
