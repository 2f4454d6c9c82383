#include "tools/redis/module_api.h"

namespace vicinal::redis {

bool bind(ServerContext* context) noexcept {
  using Find = int (*)(const char*, void*);
  const auto find = *reinterpret_cast<Find*>(context);
  const char* missing = nullptr;
#define VICINAL_FIND(result, name, parameters)                                                  \
  if (find("RedisModule_" #name, static_cast<void*>(&api.name)) != kOk && missing == nullptr) { \
    missing = #name;                                                                            \
  }
  VICINAL_SERVER_FUNCTIONS(VICINAL_FIND)
#undef VICINAL_FIND
#define VICINAL_FIND_LATER(result, name, parameters) \
  if (find("RedisModule_" #name, static_cast<void*>(&api.name)) != kOk) api.name = nullptr;
  VICINAL_LATER_FUNCTIONS(VICINAL_FIND_LATER)
#undef VICINAL_FIND_LATER
  if (missing == nullptr) return true;
  if (api.Log != nullptr) {
    api.Log(context, "warning",
            "vicinal: this server's module API has no %s; Redis 7.0 or Valkey 7.2 is the earliest "
            "that has all",
            missing);
  }
  return false;
}

}  // namespace vicinal::redis
