// A module that takes the names of Redis 8's vector sets before ours comes: the type and VADD.
#include "tools/redis/module_api.h"

namespace {

using vicinal::redis::api;
using vicinal::redis::ServerContext;
using vicinal::redis::ServerString;

int answer(ServerContext* context, ServerString**, int) {
  return api.ReplyWithSimpleString(context, "the stub's");
}

void free_nothing(void*) {}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the server looks for this name
extern "C" [[gnu::visibility("default")]] int RedisModule_OnLoad(ServerContext* context,
                                                                 ServerString**, int) {
  if (!vicinal::redis::bind(context)) return vicinal::redis::kError;
  api.SetModuleAttribs(context, "stub", 1, vicinal::redis::kApiVersion);
  vicinal::redis::TypeMethods methods;
  methods.free = free_nothing;
  if (api.CreateDataType(context, "vectorset", 0, &methods) == nullptr) {
    return vicinal::redis::kError;
  }
  return api.CreateCommand(context, "VADD", answer, "write", 1, 1, 1);
}
