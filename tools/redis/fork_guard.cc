#include "tools/redis/fork_guard.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace vicinal::redis {
namespace {

// Held over a fork(), so that nobody begins or ends to write meanwhile; in the child for good.
std::mutex writers_mutex;
std::condition_variable writer_ended;
bool in_child = false;

// Never destroyed: threads go on while the server exits.
std::vector<VectorSet*>& writers() {
  static auto* const sets = new std::vector<VectorSet*>;
  return *sets;
}

bool is_written(const VectorSet& set) {
  return std::find(writers().begin(), writers().end(), &set) != writers().end();
}

void before_fork() noexcept {
  writers_mutex.lock();
  for (VectorSet* set : writers()) {
    try {
      Result<PausedWrites> paused = set->index().pause_writes();
      if (paused) set->pause = std::make_unique<PausedWrites>(std::move(*paused));
    } catch (const std::bad_alloc&) {
      // save_still() refuses it in the child.
    }
  }
}

void after_fork_in_parent() noexcept {
  for (VectorSet* set : writers()) set->pause.reset();
  writers_mutex.unlock();
}

void after_fork_in_child() noexcept { in_child = true; }

}  // namespace

BackgroundWrites::BackgroundWrites(std::shared_ptr<VectorSet> set, bool wait)
    : set_(std::move(set)) {
  std::unique_lock lock(writers_mutex);
  while (is_written(*set_)) {
    if (!wait) return;
    writer_ended.wait(lock);
  }
  writers().push_back(set_.get());
  begun_ = true;
}

BackgroundWrites::~BackgroundWrites() {
  if (!begun_) return;
  const std::lock_guard lock(writers_mutex);
  writers().erase(std::find(writers().begin(), writers().end(), set_.get()));
  writer_ended.notify_all();
}

bool install_fork_guard() noexcept {
  writers();  // made here, not in a handler
  return pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0;
}

Status save_still(const VectorSet& set, const ByteSink& sink) {
  if (set.pause != nullptr) return set.pause->save(sink);
  if (in_child && is_written(set)) {
    return Status::busy("the index was being written when the server forked");
  }
  // Nobody writes it but this thread: the pause has nobody to wait for, nor had it in the parent.
  Result<PausedWrites> paused = set.index().pause_writes();
  return paused ? paused->save(sink) : paused.status();
}

}  // namespace vicinal::redis
