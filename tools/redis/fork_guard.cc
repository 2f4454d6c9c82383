#include "tools/redis/fork_guard.h"

#include <pthread.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace vicinal::redis {
namespace {

// Held over a fork(), so that nobody begins or ends to write meanwhile; in the child for good.
std::mutex writers_mutex;
bool in_child = false;

// Never destroyed: threads go on while the server exits.
std::vector<VectorSet*>& writers() {
  static auto* const sets = new std::vector<VectorSet*>;
  return *sets;
}

void before_fork() noexcept {
  writers_mutex.lock();
  for (VectorSet* set : writers()) {
    if (set->pause != nullptr) continue;  // two tasks at one set
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

BackgroundWrites::BackgroundWrites(std::shared_ptr<VectorSet> set) : set_(std::move(set)) {
  const std::lock_guard lock(writers_mutex);
  writers().push_back(set_.get());
}

BackgroundWrites::~BackgroundWrites() {
  const std::lock_guard lock(writers_mutex);
  writers().erase(std::find(writers().begin(), writers().end(), set_.get()));
}

bool install_fork_guard() noexcept {
  writers();  // made here, not in a handler
  return pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0;
}

Status save_still(const VectorSet& set, const ByteSink& sink) {
  if (set.pause != nullptr) return set.pause->save(sink);
  if (in_child && std::find(writers().begin(), writers().end(), &set) != writers().end()) {
    return Status::busy("the index was being written when the server forked");
  }
  // Nobody writes it but this thread: the pause has nobody to wait for, nor had it in the parent.
  Result<PausedWrites> paused = set.index().pause_writes();
  return paused ? paused->save(sink) : paused.status();
}

}  // namespace vicinal::redis
