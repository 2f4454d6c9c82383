#include "tools/redis/background.h"

#include <exception>
#include <utility>

#include "tools/redis/refusal.h"

namespace vicinal::redis {
namespace {

/// One blocked client. The server frees it, after the reply or instead of it.
struct Waiting {
  std::unique_ptr<BackgroundWork> work;
  std::exception_ptr failed;
};

void reply(ServerContext* context, ServerString**, int) {
  auto& waiting = *static_cast<Waiting*>(api.GetBlockedClientPrivateData(context));
  if (waiting.failed) std::rethrow_exception(waiting.failed);
  waiting.work->reply(context);
}

void free_waiting(ServerContext*, void* waiting) { delete static_cast<Waiting*>(waiting); }

class Task final : public ThreadPool::Task {
 public:
  Task(BlockedClient* client, std::unique_ptr<Waiting> waiting)
      : client_(client), waiting_(std::move(waiting)) {}

  void run() noexcept override {
    api.BlockedClientMeasureTimeStart(client_);
    try {
      waiting_->work->work(true);
    } catch (...) {
      waiting_->failed = std::current_exception();
    }
    api.BlockedClientMeasureTimeEnd(client_);
    api.UnblockClient(client_, waiting_.release());
  }

 private:
  BlockedClient* const client_;
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
  try {
    pool.submit(std::make_unique<Task>(client, std::move(waiting)));
  } catch (...) {  // no memory
    api.AbortBlock(client);
    throw;
  }
}

}  // namespace vicinal::redis
