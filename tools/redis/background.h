// Background: a command whose work is done in a thread while its client waits.
//
// What: run_in_background() blocks the client, has a thread of the pool work, and replies on the main
// thread when it is done. Where a client must not be blocked (MULTI, Lua, a module's call, what comes
// from the primary or from a file) or there is no thread, the work is done at once. Work whose client has gone
// is not begun, and should end.
// Ownership: the work is the command's until its reply is made, or its client has gone and it has ended.
// Threads: run_in_background(), reply() and the destructor on the main thread, work() on any.
#pragma once

#include <atomic>
#include <memory>

#include "tools/redis/module_api.h"
#include "tools/redis/thread_pool.h"

namespace vicinal::redis {

class BackgroundWork {
 public:
  virtual ~BackgroundWork() = default;
  BackgroundWork() = default;
  BackgroundWork(const BackgroundWork&) = delete;
  BackgroundWork& operator=(const BackgroundWork&) = delete;

  /// Once. Touches nothing of the server's. What it throws is the command's error. `may_wait`: for other
  /// work; on the main thread it must not.
  virtual void work(bool may_wait) = 0;
  /// Once, after work() has returned; may throw before it has begun its reply.
  virtual void reply(ServerContext* context) = 0;

  /// That nobody waits for it any more; long work asks.
  /// Threads: any.
  bool abandoned() const { return abandoned_.load(std::memory_order_relaxed); }
  void abandon() { abandoned_.store(true, std::memory_order_relaxed); }

 private:
  std::atomic<bool> abandoned_{false};
};

/// Whether the client of `context` may be made to wait.
bool may_block(ServerContext* context);
/// Works and replies. May throw as a command may (refusal.h).
void run_in_foreground(ServerContext* context, BackgroundWork& work);
/// The same beside the server, in a thread of `pool`, where that is possible.
void run_in_background(ServerContext* context, ThreadPool& pool,
                       std::unique_ptr<BackgroundWork> work);

}  // namespace vicinal::redis
