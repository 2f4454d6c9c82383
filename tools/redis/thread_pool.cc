#include "tools/redis/thread_pool.h"

#include <signal.h>

#include <exception>
#include <utility>

#include "tools/redis/settings.h"

namespace vicinal::redis {

ThreadPool& ThreadPool::searches() {
  static auto* const pool = new ThreadPool(settings.search_threads);
  return *pool;
}

ThreadPool& ThreadPool::maintenance() {
  static const std::atomic<long long> one{1};
  static auto* const pool = new ThreadPool(one);
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
    ended_.reserve(running_.size() + 1);
    std::thread& thread = running_[next_number_];
    thread = std::thread([this, number = next_number_] { work(number); });
    ++next_number_;
  } catch (const std::exception&) {  // no memory, no thread
    running_.erase(next_number_);
    begun = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return begun;
}

void ThreadPool::join_ended() {
  for (const std::uint64_t number : ended_) {
    const auto thread = running_.find(number);
    thread->second.join();  // it has let go of the mutex, or is about to
    running_.erase(thread);
  }
  ended_.clear();
}

bool ThreadPool::has_threads() {
  const std::lock_guard lock(mutex_);
  if (ending()) return false;
  join_ended();
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

void ThreadPool::end() {
  std::unique_lock lock(mutex_);
  ending_.store(true);
  waiting_.clear();
  ready_.notify_all();
  while (!running_.empty()) {
    join_ended();
    if (!running_.empty()) ready_.wait(lock);
  }
}

void ThreadPool::work(std::uint64_t number) {
  std::unique_lock lock(mutex_);
  for (;;) {
    // Where there are to be fewer the last one stays until nobody waits.
    while (waiting_.empty() && threads_ <= most_threads() && !ending()) ready_.wait(lock);
    if (ending() || (threads_ > most_threads() && (waiting_.empty() || threads_ > 1))) {
      --threads_;
      --idle_;
      ended_.push_back(number);  // there is room: begin_thread()
      ready_.notify_all();
      return;
    }
    std::unique_ptr<Task> task = std::move(waiting_.front());
    waiting_.pop_front();
    --idle_;
    lock.unlock();
    task->run();
    task.reset();
    // The main thread has been woken to answer, often on this processor, where it would wait until this
    // thread's time slice ends, with every other client behind it. latency.py, 2 processors: the p99 of
    // PING falls by half, and searches become no fewer.
    std::this_thread::yield();
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
