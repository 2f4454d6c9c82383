#include "tools/redis/memory_limit.h"

#include "tools/redis/refusal.h"
#include "tools/redis/vector_set.h"

namespace vicinal::redis {
namespace {

unsigned long long maxmemory = 0;

void read_limit(ServerContext* context) {
  ServerInfoData* const info = api.GetServerInfo(context, "memory");
  if (info == nullptr) return;
  int failed = kOk;
  const unsigned long long limit = api.ServerInfoGetFieldUnsigned(info, "maxmemory", &failed);
  if (failed == kOk) maxmemory = limit;
  api.FreeServerInfo(context, info);
}

void configuration_changed(ServerContext* context, ServerEvent, std::uint64_t, void*) {
  read_limit(context);
}

}  // namespace

void watch_memory_limit(ServerContext* context) noexcept {
  read_limit(context);
  api.SubscribeToServerEvent(context, kEventConfig, configuration_changed);
}

bool is_full(ServerContext* context, std::uint64_t more) {
  if (maxmemory == 0) return false;
  // Where there is no client the primary's commands are known by the replica alone. It has no limit of its
  // own, as the server's usual replica-ignore-maxmemory has it.
  constexpr int kAccepted = kFlagReplicated | kFlagReplica | kFlagLoading | kFlagAsyncLoading;
  if ((api.GetContextFlags(context) & kAccepted) != 0) return false;
  const double limit = static_cast<double>(maxmemory);
  const double used = api.GetUsedMemoryRatio() * limit;
  return used + static_cast<double>(VectorSet::all_arena_bytes() + more) > limit;
}

void refuse_when_full(ServerContext* context, std::uint64_t more) {
  if (is_full(context, more)) {
    throw Refusal("OOM command not allowed when used memory > 'maxmemory'.");
  }
}

}  // namespace vicinal::redis
