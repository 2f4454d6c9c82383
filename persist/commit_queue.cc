#include "persist/commit_queue.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "engine/check.h"
#include "persist/failpoints.h"

namespace vicinal::persist {

CommitQueue::~CommitQueue() {
  {
    const std::lock_guard lock(mutex_);
    VICINAL_CHECK(waiting_.empty());
    stopping_ = true;
  }
  arrived_.notify_one();
  if (committer_.joinable()) committer_.join();
}

Result<Sequence> CommitQueue::append(const Target& target, RecordBuffer record,
                                     const std::function<void()>& meanwhile) {
  Waiter self{&target, &record};
  join(self);
  if (meanwhile) meanwhile();
  wait_for(self);
  if (self.out_of_memory) throw std::bad_alloc();
  if (!self.status.ok()) return self.status;
  return self.sequence;
}

void CommitQueue::join(Waiter& waiter) {
  {
    const std::lock_guard lock(mutex_);
    if (environment_->syncs() && !committer_.joinable()) {
      try {
        committer_ = std::thread([this] { serve(); });
      } catch (const std::exception&) {
        // No thread, or no memory for one: the waiters lead.
      }
    }
    waiting_.push_back(&waiter);  // nothing throws from here on: the waiter must be waited for
  }
  arrived_.notify_one();
}

void CommitQueue::wait_for(Waiter& waiter) {
  std::unique_lock lock(mutex_);
  while (!waiter.done) {
    if (leading_ || committer_.joinable()) {
      waiter.finished.wait(lock);
    } else {
      lead(lock);
    }
  }
}

void CommitQueue::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    lead(lock);
  }
}

// Threads that a commit has just woken come back soon, while a sync takes milliseconds. A leader
// that ran off at once would leave them to the commit after next: groups would alternate between
// one and n - 1. Waiting for as many as came lately, for a share of a commit's time, keeps the
// groups whole; a thread alone never waits.
void CommitQueue::dally(std::unique_lock<std::mutex>& lock) {
  const std::size_t expected = std::max(last_group_, group_before_last_);
  if (waiting_.size() >= expected) return;
  const auto patience = std::min<Clock::duration>(commit_time_ / 8, std::chrono::microseconds(500));
  if (patience < std::chrono::microseconds(20)) return;
  arrived_.wait_for(lock, patience, [&] { return waiting_.size() >= expected; });
}

void CommitQueue::lead(std::unique_lock<std::mutex>& lock) {
  leading_ = true;
  dally(lock);
  lock.unlock();
  std::vector<Waiter*> group;
  const auto begin = Clock::now();
  commit_group(group);
  const auto took = Clock::now() - begin;
  lock.lock();
  group_before_last_ = std::exchange(last_group_, group.size());
  commit_time_ = took;
  leading_ = false;
  // Under the lock: a waiter that is done may be gone as soon as it is released.
  for (Waiter* waiter : group) {
    waiter->done = true;
    waiter->finished.notify_one();
  }
  if (committer_.joinable()) return;
  for (Waiter* waiter : waiting_) waiter->finished.notify_one();  // one of them leads
}

// Lets nothing through that is thrown: it would leave waiters that nobody wakes, or end the process
// from the queue's own thread.
void CommitQueue::commit_group(std::vector<Waiter*>& group) {
  try {
    const Status status = commit(group);
    if (status.ok() || group.size() < 2 || status.code() == StatusCode::kIoError) {
      for (Waiter* waiter : group) waiter->status = status;
      return;
    }
    // One entry may be too large for what is left of the map: the others need not suffer.
    for (Waiter* waiter : group) {
      std::vector<Waiter*> one{waiter};
      waiter->status = commit(one);
      waiter->tried = true;
    }
  } catch (const std::bad_alloc&) {
    take_waiting(group);
    for (Waiter* waiter : group) {
      if (waiter->tried) continue;
      if (waiter->sequence != 0) waiter->target->ledger->finish(waiter->sequence);
      waiter->out_of_memory = true;
    }
  }
}

void CommitQueue::take_waiting(std::vector<Waiter*>& group) {
  if (!group.empty()) return;
  const std::lock_guard lock(mutex_);
  group.swap(waiting_);
}

Status CommitQueue::commit(std::vector<Waiter*>& group) {
  Status status = environment_->write([&](Transaction& transaction) -> Status {
    take_waiting(group);
    return store_all(transaction, group);
  });
  if (status.ok()) return status;
  take_waiting(group);  // the transaction could not even begin: they are still queued
  forget(group);
  return status;
}

Status CommitQueue::store_all(Transaction& transaction, std::vector<Waiter*>& group) {
  forget(group);  // a closure that runs again allots anew
  for (Waiter* waiter : group) {
    waiter->sequence = waiter->target->ledger->allot();
    const Key64 key(waiter->sequence);
    seal({RecordKind::kJournal, waiter->target->index, key.bytes()}, waiter->record);
    Status status =
        transaction.put(waiter->target->journal, key.bytes(), *waiter->record, PutMode::kAppend);
    if (!status.ok()) return status;
  }
  return failpoints::reach("append.before_commit");
}

void CommitQueue::forget(std::vector<Waiter*>& group) {
  for (Waiter* waiter : group) {
    if (waiter->sequence != 0) waiter->target->ledger->finish(waiter->sequence);
    waiter->sequence = 0;
  }
}

}  // namespace vicinal::persist
