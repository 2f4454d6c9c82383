#include "persist/commit_queue.h"

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/signals.h"
#include "engine/base/step_hook.h"
#include "persist/failpoints.h"
#include "persist/journal.h"

namespace vicinal::persist {
namespace {

// Of a commit that takes longer than what the callers do beside it.
constexpr std::chrono::microseconds kLongCommit{100};

// Commits that hope for no more than came lately, after one has waited in vain.
constexpr std::size_t kSober = 8;

}  // namespace

CommitQueue::~CommitQueue() {
  {
    const internal::MutexLock lock(mutex_);
    VICINAL_CHECK(waiting_.empty());
    stopping_ = true;
  }
  arrived_.notify_one();
  if (committer_.joinable()) committer_.join();
}

Result<Sequence> CommitQueue::append(const Target& target, RecordBuffer record,
                                     const std::function<void()>& meanwhile) {
  Waiter self{&target, &record};
  VICINAL_STEP_POINT("commit.begins");
  const bool others_follow = join(self);
  VICINAL_STEP_POINT("commit.joined");
  if (meanwhile) {
    // Their entries first, then everybody's work beside the sync.
    if (others_follow) std::this_thread::yield();
    meanwhile();
  }
  wait_for(self);
  if (self.out_of_memory) throw std::bad_alloc();
  if (!self.status.ok()) return self.status;
  return self.sequence;
}

bool CommitQueue::join(Waiter& waiter) {
  bool wake = false;
  bool others_follow = false;
  {
    const internal::MutexLock lock(mutex_);
    if (environment_->syncs() && !committer_.joinable()) {
      try {
        committer_ = internal::thread_without_signals([this] { serve(); });
      } catch (const std::exception&) {
        // No thread, or no memory for one: the waiters lead.
      }
    }
    waiting_.push_back(&waiter);  // nothing throws from here on: the waiter must be waited for
    wake = waiting_.size() >= wake_at_;
    others_follow = waiting_.size() < expected_ && commit_time_ >= kLongCommit;
  }
  if (wake) arrived_.notify_one();
  return others_follow;
}

void CommitQueue::wait_for(Waiter& waiter) {
  const internal::MutexLock lock(mutex_);
  while (!waiter.done) {
    if (leading_ || committer_.joinable()) {
      waiter.finished.wait(mutex_);
    } else {
      lead();
    }
  }
}

void CommitQueue::serve() {
  const internal::MutexLock lock(mutex_);
  for (;;) {
    while (!stopping_ && waiting_.empty()) arrived_.wait(mutex_);
    if (waiting_.empty()) return;
    lead();
  }
}

// Threads that a commit has just woken come back soon, while a sync takes milliseconds. A leader
// that ran off at once would leave them to the commit after next: groups would alternate between
// one and n - 1, and two threads would be no faster than one. Waiting for as many as are about, for
// a share of a commit's time, keeps the groups whole; a thread alone never waits.
void CommitQueue::dally() {
  if (waiting_.size() >= expected_) return;
  const auto patience = std::min<Clock::duration>(commit_time_ / 4, std::chrono::microseconds(500));
  if (patience < std::chrono::microseconds(20)) return;
  wake_at_ = expected_;
  const Clock::time_point end = Clock::now() + patience;
  while (waiting_.size() < wake_at_ && arrived_.wait_until(mutex_, end)) {
  }
  wake_at_ = 1;
  if (waiting_.size() < expected_) in_vain_ = kSober;
}

// How many the next commit may hope for: as many as came lately or, unless that was in vain not
// long ago, who has been woken now and who came while they were stored.
void CommitQueue::expect(std::size_t group) {
  expected_ = std::max(group, std::exchange(last_group_, group));
  if (in_vain_ > 0) {
    --in_vain_;
  } else {
    expected_ = std::max(expected_, group + waiting_.size());
  }
}

void CommitQueue::lead() {
  leading_ = true;
  dally();
  std::vector<Waiter*> group;
  Clock::duration took{};
  {
    const internal::MutexUnlock unlocked(mutex_);
    VICINAL_STEP_POINT("commit.leads");
    const auto begin = Clock::now();
    commit_group(group);
    took = Clock::now() - begin;
    VICINAL_STEP_POINT("commit.led");
  }
  expect(group.size());
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
    take_waiting(group, WriteKind::kAdds);
    for (Waiter* waiter : group) {
      if (waiter->tried) continue;
      if (waiter->sequence != 0) waiter->target->ledger->finish(waiter->sequence);
      waiter->out_of_memory = true;
    }
  }
}

WriteKind CommitQueue::kind_of(const std::vector<Waiter*>& group) {
  const internal::MutexLock lock(mutex_);
  const std::vector<Waiter*>& all = group.empty() ? waiting_ : group;
  const bool adds = std::any_of(all.begin(), all.end(), [](const Waiter* waiter) {
    return waiter->target->kind == WriteKind::kAdds;
  });
  return adds ? WriteKind::kAdds : WriteKind::kKeepsOrFrees;
}

void CommitQueue::take_waiting(std::vector<Waiter*>& group, WriteKind kind) {
  if (!group.empty()) return;
  const internal::MutexLock lock(mutex_);
  group.swap(waiting_);
  if (kind == WriteKind::kAdds) return;
  // Those that add came later: the reserve is not for them (N3).
  const auto adding = std::stable_partition(group.begin(), group.end(), [](const Waiter* waiter) {
    return waiter->target->kind != WriteKind::kAdds;
  });
  waiting_.assign(adding, group.end());
  group.erase(adding, group.end());
}

Status CommitQueue::commit(std::vector<Waiter*>& group) {
  const WriteKind kind = kind_of(group);
  Status status = environment_->write(
      [&](Transaction& transaction) -> Status {
        take_waiting(group, kind);
        return store_all(transaction, group);
      },
      kind);
  if (status.ok()) return status;
  take_waiting(group, kind);  // the transaction could not even begin: they are still queued
  forget(group);
  return status;
}

Status CommitQueue::store_all(Transaction& transaction, std::vector<Waiter*>& group) {
  forget(group);  // a closure that runs again allots anew
  std::map<std::uint32_t, CountedRange> journals;
  for (Waiter* waiter : group) {
    const IndexRange& range = waiter->target->journal;
    CountedRange& journal = journals.try_emplace(range.index(), transaction, range).first->second;
    waiter->sequence = waiter->target->ledger->allot();
    Status status = put_entry(journal, waiter->sequence, *waiter->record, PutMode::kNew);
    if (!status.ok()) return status;
  }
  for (auto& [index, journal] : journals) {
    if (Status status = journal.flush(); !status.ok()) return status;
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
