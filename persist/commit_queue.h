// CommitQueue: group commit. Whoever waits while a commit syncs is stored by the next one.
//
// One queue per environment: entries of several indexes share a transaction. Where commits sync, a
// thread of the queue's own commits, begun by the first append(), so that callers work on while the
// disk does; where they do not, a commit is cheaper than waking a thread, and the first caller that
// finds no leader leads: it waits for the writer's lock, takes everybody who has queued by then and
// commits once.
// Ownership: owns its thread; the environment and the ledgers outlive it.
// Threads: any; the destructor when no append() runs.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "persist/envelope.h"
#include "persist/index_range.h"
#include "persist/lmdb_env.h"
#include "persist/sequence_ledger.h"

namespace vicinal::persist {

class CommitQueue {
 public:
  explicit CommitQueue(Environment* environment) : environment_(environment) {}
  ~CommitQueue();
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;

  /// Where an index keeps its journal.
  struct Target {
    IndexRange journal;
    SequenceLedger* ledger = nullptr;
  };

  /// Stores `record` (encoded, not sealed) under the next sequence of `target` and returns that
  /// sequence once it is committed. The sequence stays unfinished in the ledger. `meanwhile`, when
  /// it is there, is called once by the calling thread, before or beside the commit, whether that
  /// succeeds or not. It must not throw.
  Result<Sequence> append(const Target& target, RecordBuffer record,
                          const std::function<void()>& meanwhile = {});

 private:
  using Clock = std::chrono::steady_clock;

  struct Waiter {
    const Target* target;
    RecordBuffer* record;
    Sequence sequence = 0;
    Status status = {};
    bool tried = false;          ///< alone, after its group had failed
    bool out_of_memory = false;  ///< nothing was stored; append() throws
    bool done = false;
    std::condition_variable finished = {};  // or: you may lead
  };

  /// Queues `waiter`. True when it is better to let others queue before working on: as many as came
  /// lately are not there yet, and the commit that they are to share takes long.
  bool join(Waiter& waiter);
  void wait_for(Waiter& waiter);
  void serve();
  void lead(std::unique_lock<std::mutex>& lock);
  void dally(std::unique_lock<std::mutex>& lock);
  void expect(std::size_t group);
  void commit_group(std::vector<Waiter*>& group);
  /// Who waits by now, unless the group has been taken.
  void take_waiting(std::vector<Waiter*>& group);
  Status commit(std::vector<Waiter*>& group);
  Status store_all(Transaction& transaction, std::vector<Waiter*>& group);
  static void forget(std::vector<Waiter*>& group);

  Environment* environment_;
  std::mutex mutex_;
  std::condition_variable arrived_;  // a waiter, or the end
  // Guarded by mutex_.
  std::vector<Waiter*> waiting_;
  std::thread committer_;  // leads; none where commits do not sync, or the system has none
  bool stopping_ = false;
  bool leading_ = false;
  std::size_t wake_at_ = 1;        // waiters that whoever sleeps on arrived_ sleeps for
  std::size_t last_group_ = 0;     // waiters of the previous commit
  std::size_t expected_ = 0;       // waiters that the next one may hope for
  std::size_t in_vain_ = 0;        // commits to come that hope for no more than came lately
  Clock::duration commit_time_{};  // of the previous commit
};

}  // namespace vicinal::persist
