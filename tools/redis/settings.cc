#include "tools/redis/settings.h"

#include <algorithm>
#include <thread>

namespace vicinal::redis {
namespace {

using Setting = std::atomic<long long>;

long long get(const char*, void* setting) { return static_cast<Setting*>(setting)->load(); }
int set(const char*, long long value, void* setting, ServerString**) {
  static_cast<Setting*>(setting)->store(value);
  return kOk;
}

bool add(ServerContext* context, const char* name, Setting& setting, long long initial,
         unsigned flags, long long most) {
  return api.RegisterNumericConfig(context, name, initial, flags, 0, most, get, set, nullptr,
                                   &setting) == kOk;
}

}  // namespace

bool register_settings(ServerContext* context) noexcept {
  const long long processors = std::max(1U, std::thread::hardware_concurrency());
  return add(context, "search-threads", settings.search_threads, std::min(processors, 1024LL),
             kConfigDefault, 1024) &&
         add(context, "build-threads", settings.build_threads, 0, kConfigDefault, 1024) &&
         add(context, "max-migrate-bytes", settings.max_migrate_bytes, 64LL << 20, kConfigMemory,
             1LL << 62) &&
         api.LoadConfigs(context) == kOk;
}

}  // namespace vicinal::redis
