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
#include <functional>
#include <thread>
#include <vector>

#include "engine/base/mutex.h"
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
    WriteKind kind = WriteKind::kAdds;
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
    internal::CondVar finished = {};  // or: you may lead
  };

  /// Queues `waiter`. True when it is better to let others queue before working on: as many as came
  /// lately are not there yet, and the commit that they are to share takes long.
  bool join(Waiter& waiter);
  void wait_for(Waiter& waiter);
  void serve();
  void lead() VICINAL_REQUIRES(mutex_);
  void dally() VICINAL_REQUIRES(mutex_);
  void expect(std::size_t group) VICINAL_REQUIRES(mutex_);
  void commit_group(std::vector<Waiter*>& group);
  /// Of the group or, when none is taken yet, of who waits by now: whether any of them adds.
  WriteKind kind_of(const std::vector<Waiter*>& group);
  /// Who waits by now for a commit of that kind, unless the group has been taken.
  void take_waiting(std::vector<Waiter*>& group, WriteKind kind);
  Status commit(std::vector<Waiter*>& group);
  Status store_all(Transaction& transaction, std::vector<Waiter*>& group);
  static void forget(std::vector<Waiter*>& group);

  Environment* environment_;
  internal::Mutex mutex_;
  internal::CondVar arrived_;  // a waiter, or the end
  std::vector<Waiter*> waiting_ VICINAL_GUARDED_BY(mutex_);
  // Leads; none where commits do not sync, or the system has none.
  std::thread committer_ VICINAL_GUARDED_BY(mutex_);
  bool stopping_ VICINAL_GUARDED_BY(mutex_) = false;
  bool leading_ VICINAL_GUARDED_BY(mutex_) = false;
  // Waiters that whoever sleeps on arrived_ sleeps for.
  std::size_t wake_at_ VICINAL_GUARDED_BY(mutex_) = 1;
  std::size_t last_group_ VICINAL_GUARDED_BY(mutex_) = 0;  // waiters of the previous commit
  std::size_t expected_ VICINAL_GUARDED_BY(mutex_) = 0;    // waiters that the next one may hope for
  // Commits to come that hope for no more than came lately.
  std::size_t in_vain_ VICINAL_GUARDED_BY(mutex_) = 0;
  Clock::duration commit_time_ VICINAL_GUARDED_BY(mutex_){};  // of the previous commit
};

}  // namespace vicinal::persist
