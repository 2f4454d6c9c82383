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

void refuse_when_full(ServerContext* context) {
  if (maxmemory == 0) return;
  if ((api.GetContextFlags(context) & (kFlagReplicated | kFlagLoading | kFlagAsyncLoading)) != 0) {
    return;
  }
  const double limit = static_cast<double>(maxmemory);
  const double used = api.GetUsedMemoryRatio() * limit;
  if (used + static_cast<double>(VectorSet::all_arena_bytes()) > limit) {
    throw Refusal("OOM command not allowed when used memory > 'maxmemory'.");
  }
}

}  // namespace vicinal::redis
