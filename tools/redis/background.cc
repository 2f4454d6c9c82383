#include "tools/redis/background.h"

#include <exception>
#include <unordered_map>
#include <utility>

#include "tools/redis/refusal.h"
#include "tools/redis/vector_set.h"

namespace vicinal::redis {
namespace {

// The work of every client that waits, for the server tells which has gone by the client alone.
std::unordered_map<BlockedClient*, BackgroundWork*>& works() {
  static auto* const all = new std::unordered_map<BlockedClient*, BackgroundWork*>;
  return *all;
}

/// One blocked client. The server frees it, after the reply or instead of it. Made and freed on the main thread.
struct Waiting {
  Waiting() = default;
  ~Waiting() { works().erase(client); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  BlockedClient* client = nullptr;
  std::unique_ptr<BackgroundWork> work;
  std::exception_ptr failed;
};

void reply(ServerContext* context, ServerString**, int) {
  auto& waiting = *static_cast<Waiting*>(api.GetBlockedClientPrivateData(context));
  if (waiting.failed) std::rethrow_exception(waiting.failed);
  waiting.work->reply(context);
}

void client_gone(ServerContext*, BlockedClient* client) {
  const auto work = works().find(client);
  if (work != works().end()) work->second->abandon();
}

// UNLINK beside a search: here goes the set, whose last holder the search was.
void free_waiting(ServerContext*, void* waiting) {
  const FreeElsewhere never_here(ThreadPool::searches());
  delete static_cast<Waiting*>(waiting);
}

class Task final : public ThreadPool::Task {
 public:
  explicit Task(std::unique_ptr<Waiting> waiting) : waiting_(std::move(waiting)) {}

  void run() noexcept override {
    BlockedClient* const client = waiting_->client;
    if (!waiting_->work->abandoned()) {
      api.BlockedClientMeasureTimeStart(client);
      try {
        waiting_->work->work(true);
      } catch (...) {
        waiting_->failed = std::current_exception();
      }
      api.BlockedClientMeasureTimeEnd(client);
    }
    api.UnblockClient(client, waiting_.release());
  }

 private:
  std::unique_ptr<Waiting> waiting_;
};

}  // namespace

bool may_block(ServerContext* context) {
  constexpr int kNever = kFlagLua | kFlagMulti | kFlagReplicated | kFlagLoading |
                         kFlagAsyncLoading | kFlagDenyBlocking;
  return (api.GetContextFlags(context) & kNever) == 0;
}

void run_in_foreground(ServerContext* context, BackgroundWork& work) {
  work.work(false);
  work.reply(context);
}

void run_in_background(ServerContext* context, ThreadPool& pool,
                       std::unique_ptr<BackgroundWork> work) {
  if (!may_block(context) || !pool.has_threads()) {
    return run_in_foreground(context, *work);
  }
  auto waiting = std::make_unique<Waiting>();
  waiting->work = std::move(work);
  BlockedClient* const client = api.BlockClient(context, run<reply>, nullptr, free_waiting, 0);
  waiting->client = client;
  try {
    works().emplace(client, waiting->work.get());
    api.SetDisconnectCallback(client, client_gone);
    pool.submit(std::make_unique<Task>(std::move(waiting)));
  } catch (...) {  // no memory
    api.AbortBlock(client);
    throw;
  }
}

}  // namespace vicinal::redis
