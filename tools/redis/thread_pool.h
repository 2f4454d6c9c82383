// ThreadPool: the threads in which searches and maintenance run.
//
// What: tasks in the order in which they come; threads begin when there is work for them, up to as many as
// there may be, and end when that becomes less. They take no signals. Searches have as many as
// `vicinal.search-threads` says, maintenance one of its own, so that no search waits for it.
// Ownership: two for the process. They are ended before the server exits, which takes away under running
// threads what the engine has made once for all.
// Threads: searches(), maintenance() and ending() any, the rest the main thread. In the child of a fork there are no
// threads, and nobody submits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace vicinal::redis {

class ThreadPool {
 public:
  class Task {
   public:
    virtual ~Task() = default;
    virtual void run() noexcept = 0;
  };

  static ThreadPool& searches();
  static ThreadPool& maintenance();
  /// `most`: how many threads there may be; it is read now and then, from any thread.
  explicit ThreadPool(const std::atomic<long long>& most) : most_(most) {}
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Whether there is a thread for one task more, sooner or later; begins it where there could be one.
  bool has_threads();
  /// Has `task` run once, after has_threads() said that it can be. Throws std::bad_alloc.
  void submit(std::unique_ptr<Task> task);

  /// Forgets the tasks that wait, and returns when those that run have ended; nothing runs any more.
  void end();
  /// Whether long work should stop, since end() waits for it.
  bool ending() const { return ending_.load(std::memory_order_relaxed); }

  struct Load {
    std::uint64_t threads = 0;
    std::uint64_t running = 0;
    std::uint64_t waiting = 0;
    std::uint64_t done = 0;
  };
  Load load();

 private:
  std::uint64_t most_threads() const { return static_cast<std::uint64_t>(most_.load()); }
  void work(std::uint64_t number);
  bool begin_thread();
  void join_ended();

  const std::atomic<long long>& most_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::unique_ptr<Task>> waiting_;
  std::map<std::uint64_t, std::thread> running_;  ///< by number
  std::vector<std::uint64_t> ended_;              ///< numbers of those to be joined
  std::uint64_t next_number_ = 0;
  std::atomic<bool> ending_{false};
  std::uint64_t threads_ = 0;
  std::uint64_t idle_ = 0;
  std::uint64_t done_ = 0;
};

}  // namespace vicinal::redis
