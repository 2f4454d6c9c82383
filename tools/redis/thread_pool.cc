#include "tools/redis/thread_pool.h"

#include <signal.h>

#include <system_error>
#include <thread>
#include <utility>

#include "tools/redis/settings.h"

namespace vicinal::redis {
namespace {

std::uint64_t most_threads() { return static_cast<std::uint64_t>(settings.search_threads.load()); }

}  // namespace

ThreadPool& ThreadPool::of_process() {
  static auto* const pool = new ThreadPool;
  return *pool;
}

bool ThreadPool::begin_thread() {
  // Signals are the main thread's: the server's handlers expect to run there.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool begun = true;
  try {
    std::thread([this] { work(); }).detach();
  } catch (const std::system_error&) {
    begun = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return begun;
}

bool ThreadPool::has_threads() {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= idle_ && threads_ < most_threads() && begin_thread()) {
    ++threads_;
    ++idle_;
  }
  return threads_ > 0 && most_threads() > 0;
}

void ThreadPool::submit(std::unique_ptr<Task> task) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(task));
  ready_.notify_one();
}

void ThreadPool::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    // Where there are to be fewer the last one stays until nobody waits.
    while (waiting_.empty() && threads_ <= most_threads()) ready_.wait(lock);
    if (threads_ > most_threads() && (waiting_.empty() || threads_ > 1)) {
      --threads_;
      --idle_;
      ready_.notify_one();
      return;
    }
    std::unique_ptr<Task> task = std::move(waiting_.front());
    waiting_.pop_front();
    --idle_;
    lock.unlock();
    task->run();
    task.reset();
    lock.lock();
    ++idle_;
    ++done_;
  }
}

ThreadPool::Load ThreadPool::load() {
  const std::lock_guard lock(mutex_);
  return {threads_, threads_ - idle_, waiting_.size(), done_};
}

}  // namespace vicinal::redis
